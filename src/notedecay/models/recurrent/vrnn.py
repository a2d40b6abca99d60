"""Variational recurrent neural network (VRNN), which the paper named as future work.

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
        Dimensions of the latent code of a block.
    activation : str
        Activation of the dense layers.
    min_std : float
        Smallest predicted standard deviation of a sample, relative to the level. The smaller,
        the more the loss depends on the quiet end of a note, and the less on its start.
    generation : str
        ``mean``: each code is the prior's mean and each block the output's mean.
        ``sample``: both are sampled, the block with the output's noise, as Chung et al. do.
    generation_seed : int
        Seed of the samples, together with the prime: the same prime gives the same samples,
        alone or in a batch, and another prime gives others.
    """

    latent: int = Field(default=32, ge=1, le=512)
    activation: Activation = "linear"
    min_std: float = Field(default=0.1, ge=1e-4, le=1.0)
    generation: Literal["mean", "sample"] = "mean"
    generation_seed: int = Field(default=0, ge=0, le=2**63 - 1)


class Vrnn(Blockwise[VrnnConfig]):
    """Variational recurrent net on blocks of samples.

    It encodes the prime by the posterior's means and generates the rest from the prior.

    Examples
    --------
    >>> import numpy as np
    >>> from notedecay.models import Signal, create
    >>> settings = {"units": 16, "latent": 4}
    >>> model = create("vrnn", Signal(instrument="guitar", rate=4000), settings)
    >>> model.continue_prime(np.ones(1320, np.float32), 500).shape  # untrained
    (500,)
    """

    name: ClassVar[str] = "vrnn"
    Config: ClassVar[type[ContinuatorConfig]] = VrnnConfig
    net: LatentNet

    def make_net(self, size: int) -> LatentNet:
        """Make encoder, prior, decoder and LSTM."""
        config = self.config
        return LatentNet(
            size,
            config.units,
            config.latent,
            activation=config.activation,
            min_std=config.min_std,
            seed=config.generation_seed if config.generation == "sample" else None,
        )

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Negative evidence lower bound in nats per sample, without the padding.

        The codes are sampled once; their divergence from the prior is exact.
        """
        blocks, mask = examples
        noise = torch.randn(*blocks.shape[:2], self.config.latent, generator=generator)
        log_density, divergence = self.net.bound(blocks, noise.to(blocks.device))
        mask = mask[:, :, 0]
        return ((divergence - log_density) * mask).sum() / (mask.sum() * self.blocks.size)
