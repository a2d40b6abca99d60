"""The paper's first model: dense layer, LSTM layers and dense layer predict the next block.

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
        Activation of the gates: ``sigmoid``, or ``hard_sigmoid``, 0.2 x + 0.5 within 0..1, as
        in the authors' Keras 1. The latter runs step by step and is several times slower.
    """

    gates: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"


class Lstm(Recurrent[LstmConfig]):
    """LSTM with dense layers on blocks of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from notedecay.models import Signal, create
    >>> model = create("lstm", Signal(instrument="guitar", rate=4000), {"units": 16})
    >>> model.continue_prime(np.ones(1320, np.float32), 500).shape  # untrained
    (500,)
    """

    name: ClassVar[str] = "lstm"
    Config: ClassVar[type[ContinuatorConfig]] = LstmConfig

    def make_net(self, size: int) -> Net:
        """Make dense layer, LSTM, dense layer."""
        return self._net(size, lstm_core(self.config, self.config.units))


def lstm_core(config: LstmConfig, inputs: int) -> nn.LSTM:
    """Make the LSTM with the gates of the settings."""
    if config.gates == "hard_sigmoid":
        return GatedLstm(inputs, config.units, config.layers)
    return nn.LSTM(inputs, config.units, config.layers, batch_first=True)
