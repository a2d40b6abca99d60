"""Notes whose truth is known: sums of damped sinusoids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def damped(
    frequencies: Sequence[float],
    t60s: Sequence[float],
    levels: Sequence[float] | None = None,
    *,
    seconds: float = 3.0,
    rate: int = 8000,
    noise_db: float | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """A sum of sinusoids with random phases, each losing 60 dB in its own T60.

    ``levels`` are amplitudes before the sum is scaled to a peak of 0.5;
    ``noise_db`` adds white noise at that level relative to full scale.
    """
    generator = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    amplitudes = np.ones(len(frequencies)) if levels is None else np.asarray(levels)
    note = np.zeros_like(t)
    for f, t60, a in zip(frequencies, t60s, amplitudes, strict=True):
        phase = generator.uniform(0, 2 * np.pi)
        note += a * 10 ** (-3 * t / t60) * np.sin(2 * np.pi * f * t + phase)
    note *= 0.5 / np.max(np.abs(note))
    if noise_db is not None:
        note += 10 ** (noise_db / 20) * generator.standard_normal(len(t))
    return note.astype(np.float32)
