"""Likeness of many sounds: 1 where all continuations are the same, whatever their primes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.attractor import SILENT_DB
from notedecay.metrics.spectra import Array, decibels, power_spectra

WINDOW_SECONDS = 0.2


def likeness(sounds: Sequence[NDArray[np.floating]], rate: int) -> float:
    """Median over all pairs of sounds of the cosine between their mean spectra.

    Level and phase do not count. Unlike :func:`notedecay.metrics.attractor`, which finds
    the most similar pair, this measures whether *all* are one sound.

    Parameters
    ----------
    sounds : sequence of ndarray of float, shape (samples,)
        Each of any length. Silence (under -100 dB re full scale) is like silence, and unlike
        everything else; a sound that is not finite is left out.
    rate : int
        Hz.

    Returns
    -------
    float
        0 (unlike) to 1 (one sound); NaN with fewer than two sounds.

    Examples
    --------
    >>> t = np.arange(8000) / 8000
    >>> low, high = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 880 * t)
    >>> round(likeness([low, 0.1 * low], 8000), 3), round(likeness([low, high], 8000), 3)
    (1.0, 0.0)
    """
    finite = [np.asarray(sound, np.float64) for sound in sounds if np.isfinite(sound).all()]
    directions = [_direction(sound, rate) for sound in finite]
    cosines = [float(a @ b) for a, b in combinations(directions, 2)]
    return min(1.0, float(np.median(cosines))) if cosines else float("nan")


def _direction(sound: Array, rate: int) -> Array:
    """Amplitudes of the mean spectrum, then one more for silence, as a unit vector."""
    length = round(WINDOW_SECONDS * rate)
    power = power_spectra(sound, length, length // 2).mean(axis=0)
    if decibels(power).max() < SILENT_DB:
        return np.append(np.zeros(len(power)), 1.0)
    amplitudes = np.append(np.sqrt(power), 0.0)
    return np.asarray(amplitudes / np.linalg.norm(amplitudes))
