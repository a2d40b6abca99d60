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
    """Settings of :class:`Gru`: those of every recurrent model."""


class Gru(Recurrent[GruConfig]):
    """GRU with dense layers on blocks of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from notedecay.models import Signal, create
    >>> model = create("gru", Signal(instrument="guitar", rate=4000), {"units": 16})
    >>> model.continue_prime(np.ones(1320, np.float32), 500).shape  # untrained
    (500,)
    """

    name: ClassVar[str] = "gru"
    Config: ClassVar[type[ContinuatorConfig]] = GruConfig

    def make_net(self, size: int) -> Net:
        """Make dense layer, GRU, dense layer."""
        config = self.config
        core = nn.GRU(config.units, config.units, config.layers, batch_first=True)
        return self._net(size, core)
