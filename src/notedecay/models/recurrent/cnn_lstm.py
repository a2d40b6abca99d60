"""The paper's second model: convolutions over each block, then the first model.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from notedecay.models.base import ContinuatorConfig
from notedecay.models.recurrent.convolutions import ConvolutionActivation, Convolutions, shapes
from notedecay.models.recurrent.lstm import LstmConfig, lstm_core
from notedecay.models.recurrent.model import Recurrent
from notedecay.models.recurrent.net import Net, input_size


class CnnLstmConfig(LstmConfig):
    """Settings of :class:`CnnLstm`.

    Attributes
    ----------
    convolutions : int
        Convolutional layers before the LSTM.
    filters : int
        Filters of the first layer; each next has half as many, never under 4.
    length : int
        Length of the first layer's filters (samples); half in each next, never under 3.
    convolution_activation : str
        Activation of these layers.
    batch_norm : bool
        Whether the output of each of them is batch-normalised.
    frozen_statistics : bool
        Reproduces a fault of the authors' Keras 1.0.4 (issue 7466): normalised by the batch in
        training, by mean 0 and variance 1 in prediction. Needs ``batch_norm``.
    pool : bool
        Whether max-pooling halves the block between two of them.
    dense : bool
        Whether there is a dense layer between them and the LSTM.
    """

    convolutions: int = Field(default=1, ge=1, le=3)
    filters: int = Field(default=16, ge=8, le=64)
    length: int = Field(default=15, ge=3, le=51)
    convolution_activation: ConvolutionActivation = "tanh"
    batch_norm: bool = False
    frozen_statistics: bool = False
    pool: bool = True
    dense: bool = True

    @model_validator(mode="after")
    def _check_frozen_statistics(self) -> CnnLstmConfig:
        if self.frozen_statistics and not self.batch_norm:
            raise ValueError("frozen_statistics needs batch_norm")
        return self


class CnnLstm(Recurrent[CnnLstmConfig]):
    """Convolutions, then an LSTM with dense layers, on blocks of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from notedecay.models import Signal, create
    >>> model = create("cnn_lstm", Signal(instrument="guitar", rate=4000), {"units": 16})
    >>> model.continue_prime(np.ones(1320, np.float32), 500).shape  # untrained
    (500,)
    """

    name: ClassVar[str] = "cnn_lstm"
    Config: ClassVar[type[ContinuatorConfig]] = CnnLstmConfig

    def make_net(self, size: int) -> Net:
        """Make convolutions, dense layer or none, LSTM, dense layer."""
        config = self.config
        convolutions = Convolutions(
            input_size(size, config.spectral),
            shapes(config.convolutions, config.filters, config.length),
            activation=config.convolution_activation,
            batch_norm=config.batch_norm,
            frozen_statistics=config.frozen_statistics,
            pool=config.pool,
        )
        core = lstm_core(config, config.units if config.dense else convolutions.width)
        return self._net(size, core, convolutions=convolutions, dense=config.dense)
