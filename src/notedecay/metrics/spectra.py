"""Frames, power spectra and spectral peaks, on which the measures are built.

``librosa.stft`` gives the same unpadded spectra; its import costs 0.6 s of CPU in every process.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.signal.windows import hann

Array = NDArray[np.float64]

SILENCE_POWER = 1e-20
"""Power that stands for silence (-200 dB re full scale), so that logarithms stay finite."""

PEAK_SPACING_HZ = 40.0


def decibels(power: Array) -> Array:
    """Power in dB re 1, never below -200 dB.

    Parameters
    ----------
    power : ndarray of float64
        Squared amplitudes, 0 or more, any shape.

    Returns
    -------
    ndarray of float64, same shape

    Examples
    --------
    >>> decibels(np.array([1.0, 0.25, 0.0])).round(2).tolist()
    [0.0, -6.02, -200.0]
    """
    return np.asarray(10.0 * np.log10(np.maximum(power, SILENCE_POWER)))


def level_db(samples: Array) -> float:
    """Mean power of some samples in dB re full scale, -200 dB for silence or no samples.

    Examples
    --------
    A sine at full scale has a mean power of one half:

    >>> round(level_db(np.sin(2 * np.pi * np.arange(800) / 8)), 2)
    -3.01
    """
    return float(decibels(np.asarray(np.mean(samples**2) if samples.size else 0.0)))


def frames(samples: Array, length: int, hop: int) -> Array:
    """Cut a signal into overlapping frames that lie wholly inside it.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal; one shorter than a frame is padded with zeros to one frame.
    length, hop : int
        Frame length and step in samples, 1 or more.

    Returns
    -------
    ndarray of float64, shape (frames, length)
        A read-only view.
    """
    if samples.size < length:
        samples = np.pad(samples, (0, length - samples.size))
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]


def power_spectra(samples: Array, length: int, hop: int, *, padded: int = 1) -> Array:
    """Power spectrum of each Hann frame, scaled so that a full-scale sine peaks at 0 dB.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal.
    length, hop : int
        Frame length and step in samples.
    padded : int
        Transform length as a multiple of the frame length (zero-padding).

    Returns
    -------
    ndarray of float64, shape (frames, padded * length // 2 + 1)
    """
    window = hann(length, sym=False)
    spectra = np.fft.rfft(frames(samples, length, hop) * window, padded * length, axis=1)
    return np.asarray((spectra.real**2 + spectra.imag**2) * (2.0 / window.sum()) ** 2)


def spectral_peaks(
    spectrum_db: Array, bin_hz: float, *, count: int, lowest_db: float, prominence_db: float
) -> tuple[Array, Array]:
    """Find the strongest prominent peaks of a spectrum, refined by a parabola in dB.

    A peak lies 40 Hz or more from any stronger one.

    Parameters
    ----------
    spectrum_db : ndarray of float64, shape (bins,)
        Levels (dB).
    bin_hz : float
        Distance of the bins (Hz).
    count : int
        How many peaks at most.
    lowest_db : float
        Peaks under this level are left out (dB).
    prominence_db : float
        Least height of a peak over the valleys beside it (dB).

    Returns
    -------
    frequency_hz, level_db : ndarray of float64, shape (peaks,)
        The strongest first; empty where nothing stands out.
    """
    found, _ = find_peaks(
        spectrum_db,
        height=lowest_db,
        distance=max(1.0, PEAK_SPACING_HZ / bin_hz),
        prominence=prominence_db,
    )
    strongest = found[np.argsort(-spectrum_db[found], kind="stable")][:count]
    bins, levels = parabolic_peaks(spectrum_db, strongest)
    return bins * bin_hz, levels


def parabolic_peaks(spectrum_db: Array, bins: NDArray[np.integer]) -> tuple[Array, Array]:
    """Tops of the parabolas through local maxima and their two neighbours.

    Parameters
    ----------
    spectrum_db : ndarray of float64, shape (bins,)
        Levels (dB).
    bins : ndarray of int, shape (peaks,)
        Local maxima, neither the first nor the last bin.

    Returns
    -------
    bin, level_db : ndarray of float64, shape (peaks,)
        Fractional bin, within half a bin of the maximum, and level (dB).

    References
    ----------
    J. O. Smith and X. Serra, "PARSHL: an analysis/synthesis program for non-harmonic sounds
    based on a sinusoidal representation", ICMC 1987 (the parabola on a dB scale).

    Examples
    --------
    A parabola with its top of 7 dB at bin 3.25 is recovered exactly:

    >>> level_db = 7.0 - (np.arange(8) - 3.25) ** 2
    >>> parabolic_peaks(level_db, np.array([3]))
    (array([3.25]), array([7.]))
    """
    left, middle, right = (spectrum_db[bins + k] for k in (-1, 0, 1))
    # The middle bin of a flat top can equal both neighbours: then the peak is where it is.
    bend = np.maximum(2.0 * middle - left - right, 1e-9)
    shift = np.clip(0.5 * (right - left) / bend, -0.5, 0.5)
    return bins + shift, middle + 0.25 * (right - left) * shift
