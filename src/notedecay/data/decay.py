"""Natural decay time of a recording, and detection of damped strings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.audio.samples import Samples

Levels = NDArray[np.float64]

HOP, WINDOW = 0.01, 0.05
"""Seconds; the window holds a period and a half of the lowest piano note."""
BANDS = ((0.7, 1.5), (1.5, 2.5), (2.5, 4.5), (4.5, 8.5))
"""Edges in fundamentals: the first two partials alone, then small groups of them."""
STOP_DB = 9.0
"""Sudden extra fall of every band within 100 ms (dB) that counts as damping. Beats of undamped
piano and cello notes reach 8 dB, since they affect one partial; damping by hand takes 10 dB and
more off all partials at once."""
STAYS_DOWN_DB = 8.0
"""Rise within half a second (dB) that shows a beat; a damped string does not rise again."""
AUDIBLE_DB, OVER_FLOOR_DB, DEEPEST_DB = 45.0, 15.0, 35.0
"""A band counts down to the first level under the note's peak and the second over its own noise
floor (dB); below the third, damping no longer changes a decay measured over 40 dB."""
END_SECONDS = 0.4
"""A fall in the last moments is a fade or a trimmed end, not a hand."""
_FALL, _BEFORE, _RETURN = 10, 30, 50
_TINY = 1e-14


def levels(samples: Samples, rate: int) -> Levels:
    """Level every 10 ms over 50 ms.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono, at least one sample.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (frames,)
        dB re full scale, at least one frame.
    """
    hop, width = round(HOP * rate), round(WINDOW * rate)
    summed = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    starts = np.arange(0, max(1, len(samples) - width + 1), hop)
    ends = np.minimum(starts + width, len(samples))
    return np.asarray(10 * np.log10((summed[ends] - summed[starts]) / width + _TINY))


def fall_time(level: Levels, fall_db: float) -> float | None:
    """Seconds from the peak until the level stays ``fall_db`` lower.

    Parameters
    ----------
    level : ndarray of float64, shape (frames,)
        From :func:`levels`.
    fall_db : float
        40 for t40, 60 for t60.

    Returns
    -------
    float or None
        None where the recording ends, or its noise lies, above that level.

    Examples
    --------
    A decay of 20 dB/s is 40 dB down after 2 s:

    >>> t = np.arange(4 * 8000) / 8000
    >>> note = 10 ** (-t) * np.sin(2 * np.pi * 440 * t)
    >>> fall_time(levels(note.astype(np.float32), 8000), 40)
    2.0
    """
    peak = int(np.argmax(level))
    above = np.flatnonzero(level > level[peak] - fall_db)
    if above[-1] == len(level) - 1:
        return None
    return round(float(above[-1] + 1 - peak) * HOP, 2)


def stopped_at(samples: Samples, rate: int, f0_hz: float) -> float | None:
    """Find the time at which a note is damped by hand: all partials suddenly fall faster.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        From the onset on, mono, high-passed.
    rate : int
        Hz.
    f0_hz : float
        Fundamental (Hz).

    Returns
    -------
    float or None
        Seconds after the onset, None for an undamped note.
    """
    bands = _band_levels(samples, rate, f0_hz)
    if bands.shape[1] <= _FALL + 1:
        return None
    whole = 10 * np.log10(np.sum(10 ** (bands / 10), axis=0))
    floors = np.percentile(bands, 10, axis=1)
    peak = int(np.argmax(whole))
    best, where = STOP_DB, None
    for t in range(peak + _FALL, len(whole) - round(END_SECONDS / HOP)):
        if whole[t] < whole[peak] - DEEPEST_DB:
            break
        audible = (bands[:, t] > whole[peak] - AUDIBLE_DB) & (bands[:, t] > floors + OVER_FLOOR_DB)
        returns = whole[t + _FALL : t + _RETURN].max() > whole[t] - STAYS_DOWN_DB
        if audible.sum() < 2 or returns:
            continue
        extra = float(_extra_fall(bands[audible], t, max(peak, t - _BEFORE)).min())
        if extra > best:
            best, where = extra, t
    return None if where is None else round(where * HOP, 2)


def _extra_fall(bands: Levels, t: int, before: int) -> Levels:
    """Fall of each band in the 100 ms after ``t`` beyond the one that its slope predicts (dB)."""
    slope = np.maximum(0.0, bands[:, before] - bands[:, t]) / (t - before)
    return np.asarray(bands[:, t] - bands[:, t + _FALL] - slope * _FALL)


def _band_levels(samples: Samples, rate: int, f0_hz: float) -> Levels:
    """Level of each band of partials every 10 ms, in dB, shape (bands, frames)."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    window = hann(max(4, round(WINDOW * rate)), sym=False)
    transform = ShortTimeFFT(window, round(HOP * rate), rate, mfft=2 * len(window))
    power = transform.spectrogram(samples.astype(np.float64), p0=0)
    within = [
        (transform.f >= low * f0_hz) & (transform.f < high * f0_hz)
        for low, high in BANDS
        if high * f0_hz < rate / 2 or low == BANDS[0][0]
    ]
    return np.array([10 * np.log10(power[rows].sum(axis=0) + _TINY) for rows in within])
