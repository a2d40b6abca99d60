"""Decay time of each partial: heterodyne envelopes and a line through each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import hann

from notedecay.metrics.spectra import Array, decibels, frames

WINDOW_SECONDS = 0.1
STEP_SECONDS = 0.01

FIT_RANGE_DB = 30.0
FLOOR_PERCENTILE = 5.0
ABOVE_FLOOR_DB = 6.0
MIN_POINTS = 3

SLOWEST_JUDGED_DB_PER_S = 3.0
SLOWEST_FALL_DB_PER_S = 0.1


def partial_envelopes(samples: Array, rate: int, frequency_hz: Array) -> Array:
    """Level of each partial over time, heterodyned through a 100 ms Hann window.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies of the partials (Hz).

    Returns
    -------
    ndarray of float64, shape (partials, times)
        dB re a full-scale sine, every 10 ms; the first value is centred 50 ms into the signal.
    """
    length = round(WINDOW_SECONDS * rate)
    kernel = heterodyne_kernel(rate, frequency_hz, length)
    # Each step to the nearest sample: 10 ms on the whole, at whatever rate.
    every = frames(samples, length, 1)
    steps = np.arange(int((len(every) - 1) / (STEP_SECONDS * rate)) + 1)
    cut = every[np.rint(steps * STEP_SECONDS * rate).astype(np.intp)]
    return decibels((cut @ kernel.real) ** 2 + (cut @ kernel.imag) ** 2).T


def heterodyne_kernel(rate: int, frequency_hz: Array, length: int) -> NDArray[np.complex128]:
    """Complex kernel that measures amplitudes of partials in a window of samples.

    Shifting a partial to 0 Hz and smoothing is a product with one kernel, but for the phase.

    Parameters
    ----------
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies of the partials (Hz).
    length : int
        Of the Hann window (samples).

    Returns
    -------
    ndarray of complex128, shape (length, partials)
        A sine of amplitude 1 gives 1.
    """
    window = hann(length, sym=False)
    turns = np.outer(np.arange(length) / rate, frequency_hz)
    return np.asarray(window[:, None] * np.exp(-2j * np.pi * turns) * (2.0 / window.sum()))


def envelope_floors(envelopes_db: Array) -> Array:
    """Level under which a partial's envelope holds no more of the partial.

    Parameters
    ----------
    envelopes_db : ndarray of float64, shape (partials, times)
        Of the original (dB).

    Returns
    -------
    ndarray of float64, shape (partials,)
        The 5th percentile of each (dB).
    """
    return np.asarray(np.percentile(envelopes_db, FLOOR_PERCENTILE, axis=1))


def decay_time(envelope_db: Array, floor_db: float, step_seconds: float = STEP_SECONDS) -> float:
    """T60 from the least-squares line through the first 30 dB of an envelope.

    The line ends where the envelope is first 30 dB under its start, or 6 dB above the floor.

    Parameters
    ----------
    envelope_db : ndarray of float64, shape (times,)
        Level of one partial (dB).
    floor_db : float
        From :func:`envelope_floors` of the original (dB).
    step_seconds : float
        Distance of the values (s).

    Returns
    -------
    float
        Seconds for 60 dB; ``inf`` where the level holds or grows (0.1 dB/s or less is rounding,
        not decay); ``nan`` where the envelope begins at the floor or reaches the line's end
        within 30 ms, so that there is no line to speak of.

    Examples
    --------
    A line that falls by 0.3 dB every 10 ms, that is by 30 dB/s:

    >>> round(decay_time(-0.3 * np.arange(200.0), floor_db=-100.0), 3)
    2.0
    >>> decay_time(np.zeros(200), floor_db=-100.0)
    inf
    """
    end_db = max(envelope_db[0] - FIT_RANGE_DB, floor_db + ABOVE_FLOOR_DB)
    below = np.flatnonzero(envelope_db <= end_db)
    line = envelope_db[: below[0]] if below.size else envelope_db
    if line.size < MIN_POINTS:
        return float("nan")
    t = (np.arange(line.size) - (line.size - 1) / 2.0) * step_seconds
    fall_db_per_s = -float(t @ line) / float(t @ t)
    return 60.0 / fall_db_per_s if fall_db_per_s > SLOWEST_FALL_DB_PER_S else float("inf")


def decay_times(envelopes_db: Array, floors_db: Array) -> Array:
    """T60 of each partial; see :func:`decay_time`.

    Parameters
    ----------
    envelopes_db : ndarray of float64, shape (partials, times)
        dB.
    floors_db : ndarray of float64, shape (partials,)
        dB.

    Returns
    -------
    ndarray of float64, shape (partials,)
        Seconds, ``inf`` or ``nan``.

    Examples
    --------
    Two partials with a T60 of 2 s and 1 s:

    >>> t = np.arange(3 * 8000) / 8000
    >>> note = 10 ** (-3 * t / 2) * np.sin(2 * np.pi * 440 * t)
    >>> note += 10 ** (-3 * t / 1) * np.sin(2 * np.pi * 1000 * t)
    >>> envelopes = partial_envelopes(note, 8000, np.array([440.0, 1000.0]))
    >>> decay_times(envelopes, envelope_floors(envelopes)).round(2).tolist()
    [2.0, 1.0]
    """
    pairs = zip(envelopes_db, floors_db, strict=True)
    return np.array([decay_time(envelope, float(floor)) for envelope, floor in pairs])


def is_judged(t60: Array) -> NDArray[np.bool_]:
    """Which partials of an original fall fast enough (3 dB/s or more) for a decay to be judged.

    Parameters
    ----------
    t60 : ndarray of float64, shape (partials,)
        From :func:`decay_times` (s).

    Returns
    -------
    ndarray of bool, shape (partials,)
        False for ``inf`` and ``nan`` too.

    Examples
    --------
    >>> is_judged(np.array([1.0, 20.0, 30.0, np.inf, np.nan])).tolist()
    [True, True, False, False, False]
    """
    return np.asarray(t60 <= 60.0 / SLOWEST_JUDGED_DB_PER_S)
