"""Synthetic bells, and a small modal model to train on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from notedecay.data.note import Clip
from notedecay.models import Signal, create
from notedecay.models.modal.model import Modal
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
PRIME = SIGNAL.prime_samples
SMALL = {"units": 16, "members": 4, "transpose": 0, "batch": 4, "epochs": 60}


def make(signal: Signal = SIGNAL, **config: Any) -> Modal:
    model = create("modal", signal, SMALL | config)
    assert isinstance(model, Modal)
    return model


def bell(pitch: int, octave_t60: float = 0.5) -> Clip:
    """Two partials whose T60 halves with each octave; the prime alone hardly shows it."""
    f0 = 220 * 2 ** ((pitch - 57) / 12)
    frequencies = [f0, 2.7 * f0]
    t60s = [2.0 * octave_t60 ** np.log2(f / 220) for f in frequencies]
    samples = damped(frequencies, t60s, [1, 0.4], rate=RATE, noise_db=-85, seed=pitch)
    return Clip(f"bells/x/{pitch}", pitch, samples, RATE)
