"""The latent-variable recurrent model that the paper named as future work.

Chung et al., "A recurrent latent variable model for sequential data", 2015.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from notedecay.models.base import ContinuatorConfig
from notedecay.models.learned import Examples
from notedecay.models.recurrent.model import Blockwise, BlockwiseConfig
from notedecay.models.recurrent.net import Activation
from notedecay.models.recurrent.vrnn_net import LatentNet


class VrnnConfig(BlockwiseConfig):
    """Settings of :class:`Vrnn`.

    Attributes
    ----------
    latent : int
        Numbers in the hidden cause of a block.
    activation : str
        Of the dense layers.
    least_std : float
        Smallest standard deviation of a sample that is predicted, relative to the level. The
        smaller, the more the loss is about the quiet end of a note, and the less about the
        tone at its start.
    generation : str
        ``mean``: each cause is the prior's mean and each block the output's mean.
        ``sample``: both are drawn, the block with the output's noise, as Chung et al. do.
    generation_seed : int
        Of what is drawn, together with the prime: the same prime gives the same draws, alone
        or among others, and another prime gives others.
    """

    latent: int = Field(default=32, ge=1, le=512)
    activation: Activation = "linear"
    least_std: float = Field(default=0.1, ge=1e-4, le=1.0)
    generation: Literal["mean", "sample"] = "mean"
    generation_seed: int = Field(default=0, ge=0, le=2**63 - 1)


class Vrnn(Blockwise[VrnnConfig]):
    """Variational recurrent net on blocks of samples.

    It hears the prime through the posterior's means, and runs on from the prior.
    """

    name: ClassVar[str] = "vrnn"
    Config: ClassVar[type[ContinuatorConfig]] = VrnnConfig
    net: LatentNet

    def make_net(self, size: int) -> LatentNet:
        """Encoder, prior, decoder and LSTM."""
        config = self.config
        return LatentNet(
            size,
            config.units,
            config.latent,
            activation=config.activation,
            least_std=config.least_std,
            seed=config.generation_seed if config.generation == "sample" else None,
        )

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Negative evidence lower bound in nats per sample, over the blocks that the notes have.

        One draw of the causes; their divergence from the prior is exact.
        """
        blocks, known = examples
        noise = torch.randn(*blocks.shape[:2], self.config.latent, generator=generator)
        log_density, divergence = self.net.bound(blocks, noise.to(blocks.device))
        known = known[:, :, 0]
        return ((divergence - log_density) * known).sum() / (known.sum() * self.blocks.size)
