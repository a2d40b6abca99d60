"""The paper's first model with GRU layers in place of the LSTM.

Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from notedecay.models.base import ContinuatorConfig
from notedecay.models.recurrent.model import Recurrent, RecurrentConfig
from notedecay.models.recurrent.net import Net


class GruConfig(RecurrentConfig):
    """Settings of :class:`Gru`: those that all recurrent models share."""


class Gru(Recurrent[GruConfig]):
    """GRU with dense layers on blocks of samples."""

    name: ClassVar[str] = "gru"
    Config: ClassVar[type[ContinuatorConfig]] = GruConfig

    def make_net(self, size: int) -> Net:
        """Dense, GRU, dense."""
        config = self.config
        return Net(
            size,
            nn.GRU(config.units, config.units, config.layers, batch_first=True),
            activation=config.activation,
            output_activation=config.output_activation,
            spectral=config.spectral,
        )
