"""Attractor measure: whether continuations of different primes end in the same sound."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from notedecay.metrics.spectra import Array, level_db

TAIL_SECONDS = 1.0
SILENT_DB = -100.0


def attractor(tails: Sequence[NDArray[np.floating]], rate: int) -> float:
    """Largest correlation, at any lag, between the tails from two different primes.

    Parameters
    ----------
    tails : sequence of ndarray of float, shape (samples,)
        Continuations of primes of different pitch, at any level and of any length;
        the last second of each is compared, so whole continuations will do. One that is
        silent (under -100 dB re full scale) or not finite has no tail.
    rate : int
        Hz.

    Returns
    -------
    float
        0 (unlike) to 1 (the same sound), whatever the sign; NaN with fewer than two tails.

    Examples
    --------
    One sound at two levels and lags is the same; two pure tones are not:

    >>> t = np.arange(8000) / 8000
    >>> low, high = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 660 * t)
    >>> attractor([low, 0.5 * np.roll(low, 2)], 8000) > 0.99
    True
    >>> attractor([low, high], 8000) < 0.01
    True
    """
    length = round(TAIL_SECONDS * rate)
    finite = [np.asarray(t[-length:], np.float64) for t in tails if np.isfinite(t).all()]
    audible = [t / np.linalg.norm(t) for t in finite if level_db(t) > SILENT_DB]
    if len(audible) < 2:
        return float("nan")
    size = next_fast_len(2 * length, real=True)
    spectra = [np.asarray(rfft(t, size)) for t in audible]
    return max(_correlation(a, b, size) for a, b in combinations(spectra, 2))


def _correlation(a: Array, b: Array, size: int) -> float:
    """Largest absolute value of a cross-correlation, from two zero-padded spectra."""
    return float(min(1.0, np.abs(irfft(a * b.conj(), size)).max()))
