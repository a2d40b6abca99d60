"""Linear recurrent units: a memory made of damped oscillations, as the sounds themselves are.

Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from notedecay.models.base import ContinuatorConfig
from notedecay.models.learned import Examples
from notedecay.models.recurrent.lru_net import LinearRecurrence, LinearRecurrentNet, RecurrentLayer
from notedecay.models.recurrent.model import Blockwise, BlockwiseConfig


class LruConfig(BlockwiseConfig):
    """Settings of :class:`Lru`.

    Attributes
    ----------
    layers : int
        Number of recurrent layers.
    states : int
        Damped oscillations in each.
    gated : bool
        Whether a gate in each layer hears how strong its states are; without, the net is linear.
    quietest_db : float
        Level, relative to that at which the net hears, under which the error of a block counts
        no more than at that; above it errors count in proportion to the block.
    input_noise : float
        Standard deviation of the noise added to the prime while training, relative to the
        level of each block.
    recurrent_gain : float
        1: the eigenvalues alone say how fast a memory fades.
    """

    learning_rate: float = Field(default=6e-3, gt=0.0, le=1.0)
    recurrent_gain: float = Field(default=1.0, ge=1.0, le=1.0)
    layers: int = Field(default=1, ge=1, le=4)
    states: int = Field(default=512, ge=1, le=4096)
    gated: bool = False
    quietest_db: float = Field(default=-40.0, ge=-80.0, le=20.0)
    input_noise: float = Field(default=0.3, ge=0.0, le=2.0)


class Lru(Blockwise[LruConfig]):
    """Diagonal complex linear recurrences on blocks of samples.

    The net hears the prime and nothing after it: its states ring on. It learns the whole
    continuation from the prime, just as it makes it, and no error of its own feeds it.
    """

    name: ClassVar[str] = "lru"
    Config: ClassVar[type[ContinuatorConfig]] = LruConfig
    net: LinearRecurrentNet

    def make_net(self, size: int) -> LinearRecurrentNet:
        """Dense, recurrent layers, dense."""
        config = self.config
        layers = [
            RecurrentLayer(
                LinearRecurrence(config.units, config.states, self.signal.rate / size),
                gated=config.gated,
            )
            for _ in range(config.layers)
        ]
        return LinearRecurrentNet(size, layers)

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Error of each block after the first in proportion to its energy, where notes have one."""
        blocks, known = examples
        energy = blocks.square().mean(dim=2, keepdim=True)
        prime = self.signal.prime_samples // self.blocks.size
        heard = blocks[:, :prime]
        if self.config.input_noise:
            noise = torch.randn(heard.shape, generator=generator).to(heard.device)
            heard = heard + self.config.input_noise * energy[:, :prime].sqrt() * noise
        silence = torch.zeros_like(blocks[:, prime:-1])
        predicted, _ = self.net(torch.cat([heard, silence], dim=1))
        error = (predicted - blocks[:, 1:]).square().mean(dim=2, keepdim=True)
        share = error / (energy[:, 1:] + 10 ** (self.config.quietest_db / 10))
        mean: Tensor = (share * known[:, 1:]).sum() / known[:, 1:].sum()
        return mean
