"""The paper's first model: a dense layer, LSTM layers, a dense layer, one block at a time.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from notedecay.models.base import ContinuatorConfig
from notedecay.models.recurrent.keras_lstm import GatedLstm
from notedecay.models.recurrent.model import Recurrent, RecurrentConfig
from notedecay.models.recurrent.net import Net


class LstmConfig(RecurrentConfig):
    """Settings of :class:`Lstm`.

    Attributes
    ----------
    gates : str
        ``sigmoid``, or ``hard_sigmoid``: 0.2 x + 0.5 within 0..1, as in the authors' Keras 1.
        The latter runs step by step and is several times slower.
    """

    gates: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"


class Lstm(Recurrent[LstmConfig]):
    """LSTM with dense layers on blocks of samples."""

    name: ClassVar[str] = "lstm"
    Config: ClassVar[type[ContinuatorConfig]] = LstmConfig

    def make_net(self, size: int) -> Net:
        """Dense, LSTM, dense."""
        return Net(
            size,
            lstm_core(self.config, self.config.units),
            activation=self.config.activation,
            output_activation=self.config.output_activation,
            spectral=self.config.spectral,
        )


def lstm_core(config: LstmConfig, inputs: int) -> nn.LSTM:
    """Make the recurrent layers that the settings name."""
    if config.gates == "hard_sigmoid":
        return GatedLstm(inputs, config.units, config.layers)
    return nn.LSTM(inputs, config.units, config.layers, batch_first=True)
