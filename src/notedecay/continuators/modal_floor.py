"""The noise of the recordings, into which every note of an instrument dies away."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import median_filter

from notedecay.analysis.spectra import power_spectra
from notedecay.continuators.modal_analysis import Array
from notedecay.notes.note import Samples

BANDS = 256
"""From 0 Hz to half the rate."""
FRAME_SECONDS, HOPS_PER_FRAME = 0.2, 2
TIMES_PERCENTILE, NOTES_PERCENTILE = 10.0, 25.0
"""Noise is where a band is quiet, over the times of a note and over notes."""
TENTH_OF_NOISE = 0.105
"""What the 10th percentile of noise's power is of its mean: -ln 0.9."""
SMOOTH_BANDS = 5
LOUDEST_DB = -40.0
"""What is steady and louder is a tone that the notes hold."""
FEWEST = 8
"""Of fewer notes, what they have in common may be what they play."""
NONE_DB = -220.0
"""Stands for no noise."""


def noise_floor(notes: Sequence[tuple[Array, int]]) -> Array:
    """Find the steady noise that notes have in common.

    Parameters
    ----------
    notes : sequence of (ndarray of float64 of shape (samples,), int)
        What follows each prime, divided by the prime's peak, and its rate (Hz).

    Returns
    -------
    ndarray of float64, shape (BANDS,)
        Power of white noise that is as strong in each band (dB). A band in which most notes
        still sound at their ends has the level of those that do not; fewer than 8 notes tell
        of no noise.
    """
    if len(notes) < FEWEST:
        return np.full(BANDS, NONE_DB)
    levels = np.percentile([_quietest(*note) for note in notes], NOTES_PERCENTILE, axis=0)
    smooth = median_filter(levels, size=SMOOTH_BANDS, mode="nearest")
    return np.asarray(np.minimum(smooth, LOUDEST_DB))


def hiss(floor_db: Array, samples: int, prime: Samples) -> Array:
    """Make noise of a floor's colour, the same for the same prime and other for another.

    It is filtered as a circle: a longer one begins a little otherwise than a shorter one.

    Parameters
    ----------
    floor_db : ndarray of float64, shape (BANDS,)
        From :func:`noise_floor`.
    samples : int
        How many to make.
    prime : ndarray of float32
        What it follows.

    Returns
    -------
    ndarray of float64, shape (samples,)
    """
    if samples == 0 or floor_db.max() <= NONE_DB:
        return np.zeros(samples)
    seed = zlib.crc32(np.signbit(prime).tobytes())  # at whatever level the prime comes
    white = np.random.default_rng(seed).standard_normal(samples)
    spectrum = np.fft.rfft(white)
    place = np.linspace(0.0, BANDS - 1.0, len(spectrum))
    colour = 10 ** (np.interp(place, np.arange(BANDS), floor_db) / 20)
    return np.asarray(np.fft.irfft(spectrum * colour, samples))


def _quietest(note: Array, rate: int) -> Array:
    """Level of each band where it is quietest, as that of white noise (dB)."""
    length = round(FRAME_SECONDS * rate)
    power = power_spectra(note, length, length // HOPS_PER_FRAME)
    # Scaled as a sine; in white noise a Hann frame's bin has 6 / length of the power.
    level = np.percentile(power, TIMES_PERCENTILE, axis=0) / TENTH_OF_NOISE * length / 6
    place = np.linspace(0.0, len(level) - 1.0, BANDS)
    decibels = 10 * np.log10(level + 10 ** (NONE_DB / 10))
    return np.asarray(np.interp(place, np.arange(len(level)), decibels))
