"""The settings of the paper's authors, for each of their models.

Sander & Harder, "Learning the decay of a sound signal", 2016, and their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_SHARED: dict[str, Any] = {
    "units": 512,
    "layers": 1,
    "activation": "linear",
    "output_activation": "linear",
    "recurrent_gain": 1.1,
    "resolution": 60.0,
    "spectral": False,
    "level": "global",
    "loss": "absolute",
    "input_noise": 0.0,
    "transpose": 0,
    "window_seconds": 5.0,
    "target": "next",
    "denormalisation": "authors",
    "epochs": 180,
    "batch": 10,
    "optimiser": "rmsprop",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "clip_norm": 1e9,  # no clipping
}
_CONVOLUTIONS: dict[str, Any] = {
    "convolutions": 1,
    "filters": 32,
    "length": 35,
    "convolution_activation": "relu",
    "batch_norm": True,
    "frozen_statistics": True,
    "pool": True,
    "dense": True,
}

PAPER: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "lstm": _SHARED | {"gates": "hard_sigmoid"},
        "gru": _SHARED,
        "cnn_lstm": _SHARED | {"gates": "hard_sigmoid"} | _CONVOLUTIONS,
    }
)
"""By model: the settings of the authors' best by ear, with Keras 1.0.4 and its faults.

For :func:`notedecay.models.create`, as they are or changed: ``PAPER["lstm"] | {...}``.
The GRU is no model of theirs; it has the settings that the others share.
"""

STANDARD_LSTM: Mapping[str, Any] = MappingProxyType(
    PAPER["lstm"] | {"gates": "sigmoid", "denormalisation": "inverse"}
)
"""The authors' LSTM with the gates of torch and the inverse of its normalisation; sizes, loss and
optimiser are theirs."""
