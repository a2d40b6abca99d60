"""Energy between the partials, broadband envelope, and the end of a note."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.partials import Partials, frame_samples
from notedecay.metrics.spectra import Array, decibels, frames, power_spectra

SPARED_BINS = 3

ENVELOPE_SECONDS = 0.02
SILENT_DB = 60.0
FLOOR_PERCENTILE = 5.0


def beside_partials(partials: Partials, rate: int) -> NDArray[np.bool_]:
    """Which bins of a 200 ms spectrum lie more than 3 bins (15 Hz) from every partial.

    Parameters
    ----------
    partials : Partials
        From :func:`notedecay.metrics.partials.known_partials`.
    rate : int
        Hz.

    Returns
    -------
    ndarray of bool, shape (bins,)
    """
    length, _ = frame_samples(rate)
    bins = np.arange(length // 2 + 1)
    centres = np.rint(partials.frequency_hz * length / rate)
    spared = np.abs(bins[:, None] - centres[None, :]) <= SPARED_BINS
    return np.asarray(~spared.any(axis=1))


def frame_energy(samples: Array, rate: int, bins: NDArray[np.bool_] | None = None) -> Array:
    """Energy of each 200 ms frame, of all bins or of some.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal.
    rate : int
        Hz.
    bins : ndarray of bool, shape (bins,), optional
        The bins to count.

    Returns
    -------
    ndarray of float64, shape (frames,)
    """
    spectra = power_spectra(samples, *frame_samples(rate))
    return np.asarray((spectra if bins is None else spectra[:, bins]).sum(axis=1))


def slice_samples(rate: int) -> int:
    """Length in samples of the 20 ms slices of the broadband envelope."""
    return round(ENVELOPE_SECONDS * rate)


def envelope_db(samples: Array, rate: int) -> Array:
    """Broadband level of each 20 ms (dB re full scale).

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (slices,)
        Whole slices alone, at least one.

    Examples
    --------
    >>> t = np.arange(8000) / 8000
    >>> envelope = envelope_db(10 ** (-3 * t) * np.sin(2 * np.pi * 500 * t), 8000)
    >>> len(envelope), round(float(envelope[40] - envelope[0]), 2)
    (50, -48.0)
    """
    length = slice_samples(rate)
    return decibels(np.mean(frames(samples, length, length) ** 2, axis=1))


def tail_start(envelope: Array) -> int:
    """Find the slice in which a note has fallen 60 dB or reached its floor (5th percentile).

    Parameters
    ----------
    envelope : ndarray of float64, shape (slices,)
        From :func:`envelope_db` (dB).

    Returns
    -------
    int
        Index of the first such slice; there always is one.
    """
    floor_db = max(envelope.max() - SILENT_DB, np.percentile(envelope, FLOOR_PERCENTILE))
    return int(np.flatnonzero(envelope <= floor_db)[0])
