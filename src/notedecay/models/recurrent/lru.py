"""Linear recurrent unit (LRU): a recurrent model whose states are damped oscillations.

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

MIN_ENERGY = 1e-4
"""Energy (-40 dB) below which the relative error of a block grows no further."""


class LruConfig(BlockwiseConfig):
    """Settings of :class:`Lru`.

    Attributes
    ----------
    layers : int
        Number of recurrent layers.
    states : int
        Damped oscillations in each layer.
    input_noise : float
        Standard deviation of the noise added to the prime in training, relative to the level
        of each block.
    recurrent_gain : float
        1: the eigenvalues alone set how fast a state decays.
    """

    learning_rate: float = Field(default=6e-3, gt=0.0, le=1.0)
    recurrent_gain: float = Field(default=1.0, ge=1.0, le=1.0)
    layers: int = Field(default=1, ge=1, le=4)
    states: int = Field(default=512, ge=1, le=4096)
    input_noise: float = Field(default=0.3, ge=0.0, le=2.0)


class Lru(Blockwise[LruConfig]):
    """Diagonal complex linear recurrences on blocks of samples.

    The net's input is the prime and then zeros, in training as in generation: its states decay
    freely. Its own predictions are no inputs, so their errors do not accumulate.

    Examples
    --------
    >>> import numpy as np
    >>> from notedecay.models import Signal, create
    >>> settings = {"units": 16, "states": 16}
    >>> model = create("lru", Signal(instrument="guitar", rate=4000), settings)
    >>> model.continue_prime(np.ones(1320, np.float32), 500).shape  # untrained
    (500,)
    """

    name: ClassVar[str] = "lru"
    Config: ClassVar[type[ContinuatorConfig]] = LruConfig
    net: LinearRecurrentNet

    def make_net(self, size: int) -> LinearRecurrentNet:
        """Make dense layer, recurrent layers, dense layer."""
        config = self.config
        layers = [
            RecurrentLayer(LinearRecurrence(config.units, config.states, self.signal.rate / size))
            for _ in range(config.layers)
        ]
        return LinearRecurrentNet(size, layers)

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Error of each block after the first, relative to its energy, without the padding."""
        blocks, mask = examples
        energy = blocks.square().mean(dim=2, keepdim=True)
        prime = self.signal.prime_samples // self.blocks.size
        inputs = blocks[:, :prime]
        if self.config.input_noise:
            noise = torch.randn(inputs.shape, generator=generator).to(inputs.device)
            inputs = inputs + self.config.input_noise * energy[:, :prime].sqrt() * noise
        silence = torch.zeros_like(blocks[:, prime:-1])
        predicted, _ = self.net(torch.cat([inputs, silence], dim=1))
        error = (predicted - blocks[:, 1:]).square().mean(dim=2, keepdim=True)
        share = error / (energy[:, 1:] + MIN_ENERGY)
        mean: Tensor = (share * mask[:, 1:]).sum() / mask[:, 1:].sum()
        return mean
