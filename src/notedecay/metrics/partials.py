"""Partials of a note, and their counterparts in a continuation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from notedecay.metrics.spectra import Array, decibels, power_spectra, spectral_peaks

FRAME_SECONDS = 0.2
HOPS_PER_FRAME = 8
FIRST_FRAMES = 4

PROMINENCE_DB = 12.0
DOMINANT_COUNT, DOMINANT_RANGE_DB = 10, 45.0
KNOWN_COUNT, KNOWN_RANGE_DB = 60, 70.0

# Half the prominence asked of the original: a partial must not come and go by a hair.
CANDIDATE_PROMINENCE_DB = 6.0
CANDIDATE_COUNT, CANDIDATE_RANGE_DB = 40, 70.0
SAME_HZ, SAME_SHARE = 8.0, 0.02


@dataclass(frozen=True)
class Partials:
    """Spectral peaks of a note, the strongest first.

    Attributes
    ----------
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies (Hz).
    level_db : ndarray of float64, shape (partials,)
        Levels (dB re a full-scale sine).
    """

    frequency_hz: Array
    level_db: Array

    def __len__(self) -> int:
        return len(self.frequency_hz)


def frame_samples(rate: int) -> tuple[int, int]:
    """Length and hop in samples of the 200 ms frames that partials and noise are read from."""
    length = round(FRAME_SECONDS * rate)
    return length, length // HOPS_PER_FRAME


def dominant_partials(samples: Array, rate: int) -> Partials:
    """Up to 10 strongest partials within 45 dB of the strongest.

    They are the peaks of the mean power spectrum of the first four frames (Hann 200 ms, hop
    25 ms, zero-padded to twice), 12 dB prominent and 40 Hz apart.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A note from the moment of interest on (the end of the prime); 275 ms of it are
        analysed, fewer if it is shorter.
    rate : int
        Hz.

    Returns
    -------
    Partials
        Empty where nothing stands out.

    Examples
    --------
    >>> t = np.arange(8000) / 8000
    >>> note = np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 1010 * t)
    >>> partials = dominant_partials(note, 8000)
    >>> partials.frequency_hz.round().tolist(), partials.level_db.round().tolist()
    ([440.0, 1010.0], [0.0, -20.0])
    """
    return _opening_peaks(samples, rate, DOMINANT_COUNT, DOMINANT_RANGE_DB, PROMINENCE_DB)


def known_partials(samples: Array, rate: int) -> Partials:
    """Up to 60 partials within 70 dB of the strongest: all that does not count as noise.

    Parameters and result as of :func:`dominant_partials`.
    """
    return _opening_peaks(samples, rate, KNOWN_COUNT, KNOWN_RANGE_DB, PROMINENCE_DB)


def candidate_partials(samples: Array, rate: int, wanted: Partials) -> Partials:
    """Up to 40 peaks of a continuation, candidates for the partials of the original.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A continuation.
    rate : int
        Hz.
    wanted : Partials
        Of the original: peaks 70 dB under its strongest partial do not count, so that a
        inaudible continuation has none.

    Returns
    -------
    Partials
        Peaks that stand out by 6 dB.
    """
    if not len(wanted):
        return wanted
    top_db = float(wanted.level_db[0])
    return _opening_peaks(
        samples, rate, CANDIDATE_COUNT, CANDIDATE_RANGE_DB, CANDIDATE_PROMINENCE_DB, top_db
    )


def distances_cents(wanted: Partials, present: Partials) -> Array:
    """Distance of each wanted partial from the nearest one that is present.

    Parameters
    ----------
    wanted, present : Partials
        Of the original and of a continuation.

    Returns
    -------
    ndarray of float64, shape (len(wanted),)
        Absolute distance (cents); NaN for a partial that is missing, that is with none
        present within 8 Hz or 2 %, whichever is wider.
    """
    if not len(wanted) or not len(present):
        return np.full(len(wanted), np.nan)
    gaps = np.abs(wanted.frequency_hz[:, None] - present.frequency_hz[None, :])
    nearest = present.frequency_hz[gaps.argmin(axis=1)]
    cents = np.abs(1200.0 * np.log2(nearest / wanted.frequency_hz))
    same = gaps.min(axis=1) <= np.maximum(SAME_HZ, SAME_SHARE * wanted.frequency_hz)
    return np.where(same, cents, np.nan)


def _opening_peaks(
    samples: Array,
    rate: int,
    count: int,
    range_db: float,
    prominence_db: float,
    top_db: float | None = None,
) -> Partials:
    """Peaks of the mean spectrum of the first four frames, down from its top or a given one."""
    length, hop = frame_samples(rate)
    opening = samples[: length + (FIRST_FRAMES - 1) * hop]
    spectrum_db = decibels(power_spectra(opening, length, hop, padded=2).mean(axis=0))
    top_db = float(spectrum_db.max()) if top_db is None else top_db
    frequency_hz, level_db = spectral_peaks(
        spectrum_db,
        rate / (2 * length),
        count=count,
        lowest_db=top_db - range_db,
        prominence_db=prominence_db,
    )
    return Partials(frequency_hz, level_db)
