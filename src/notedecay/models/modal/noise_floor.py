"""Noise floor of an instrument's recordings, to which its notes decay."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter, percentile_filter

from notedecay.audio.samples import Samples
from notedecay.metrics.spectra import power_spectra
from notedecay.models.modal.partials import Array

BANDS = 256
"""Frequency bands from 0 Hz to half the rate."""
FRAME_SECONDS, HOPS_PER_FRAME = 0.2, 2
TIMES_PERCENTILE, NOTES_PERCENTILE = 10.0, 25.0
"""Quiet values count as noise: over the times of a note, and over notes or a note's bands."""
TENTH_OF_NOISE = 0.105
"""10th percentile of the power of noise, relative to its mean: -ln 0.9."""
SMOOTH_BANDS = 5
MAX_NOISE_DB = -40.0
"""A steady level above this is a tone that the notes hold, not noise."""
MIN_NOTES = 8
"""What fewer notes have in common may be a tone."""
SILENCE_DB = -220.0
"""Level that stands for no noise."""
OFFSET_PERCENTILES = (5.0, 95.0)
"""Range of the notes' offsets from the common floor to which an offset is limited."""
VALLEY_HZ = 400.0
"""Width of the neighbourhood in which the level between a prime's partials is taken."""


class SplitNote(NamedTuple):
    """A note split at the end of its prime; both parts divided by the prime's peak."""

    prime: Array
    after: Array
    rate: int
    """Hz."""


class NoiseFloor(NamedTuple):
    """Noise that the notes of an instrument have in common, and how its level varies.

    Attributes
    ----------
    level_db : ndarray of float64, shape (BANDS,)
        Power of white noise of the same level in each band (dB).
    slopes : ndarray of float64, shape (3,)
        Offset of a note's noise, per dB that the valleys of its prime lie over the common
        floor: in the lower half of the bands and in the upper, and a constant (dB).
    bounds_db : ndarray of float64, shape (2,)
        Smallest and largest offset (dB).
    """

    level_db: Array
    slopes: Array
    bounds_db: Array


def silent_floor() -> NoiseFloor:
    """Make a noise floor without noise."""
    return NoiseFloor(np.full(BANDS, SILENCE_DB), np.zeros(3), np.zeros(2))


def fit_noise_floor(notes: Sequence[SplitNote]) -> NoiseFloor:
    """Fit the steady noise that notes have in common, and its offset as their primes show it.

    Parameters
    ----------
    notes : sequence of SplitNote
        Training notes; fewer than 8 with a prime that sounds give no noise.

    Returns
    -------
    NoiseFloor
        In a band in which most notes still sound at their ends: the level of the others.
    """
    notes = [note for note in notes if note.prime.any()]
    if len(notes) < MIN_NOTES:
        return silent_floor()
    levels = np.array([_quietest_levels(note.after, note.rate) for note in notes])
    smooth = median_filter(
        np.percentile(levels, NOTES_PERCENTILE, axis=0), size=SMOOTH_BANDS, mode="nearest"
    )
    common = np.minimum(smooth, MAX_NOISE_DB)
    offsets = np.percentile(levels - common, NOTES_PERCENTILE, axis=1)
    bounds = np.percentile(offsets, OFFSET_PERCENTILES)
    valleys = np.array([_valleys_over_floor(note.prime, note.rate, common) for note in notes])
    slopes = np.linalg.lstsq(valleys, np.clip(offsets, *bounds), rcond=None)[0]
    return NoiseFloor(common, slopes, bounds)


def synthesise_noise(floor: NoiseFloor, samples: int, prime: Samples, rate: int) -> Array:
    """Synthesise noise with the spectrum of a noise floor, at the level that the prime shows.

    The same prime gives the same noise, another prime another. The filter is circular: the
    beginning of a longer noise differs a little from a shorter one.

    Parameters
    ----------
    floor : NoiseFloor
        From :func:`fit_noise_floor`.
    samples : int
        Number of samples.
    prime : ndarray of float32
        Prime before the noise, at any level.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (samples,)
        For a prime of peak 1.
    """
    if samples == 0 or not len(prime) or floor.level_db.max() <= SILENCE_DB:
        return np.zeros(samples)
    normal = prime / max(float(np.max(np.abs(prime))), 1e-30)
    valleys = _valleys_over_floor(normal, rate, floor.level_db)
    offset_db = np.clip(valleys @ floor.slopes, *floor.bounds_db)
    seed = zlib.crc32(np.signbit(prime).tobytes())  # signs do not depend on the prime's level
    white = np.random.default_rng(seed).standard_normal(samples)
    spectrum = np.fft.rfft(white)
    position = np.linspace(0.0, BANDS - 1.0, len(spectrum))
    level_db = np.minimum(floor.level_db + offset_db, MAX_NOISE_DB)
    gain = 10 ** (np.interp(position, np.arange(BANDS), level_db) / 20)
    return np.asarray(np.fft.irfft(spectrum * gain, samples))


def noise_under_partials(prime: Array, rate: int) -> Array:
    """Measure the level between the partials at a prime's end: noise, or rest of the attack.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        Prime; its last 200 ms count.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (BANDS,)
        Power of white noise of the same level in each band (dB).
    """
    length = min(len(prime), round(FRAME_SECONDS * rate))
    power = power_spectra(prime[-length:], length, length)[0]
    width = max(3, round(VALLEY_HZ * length / rate))
    return _as_noise(percentile_filter(power, TIMES_PERCENTILE, size=width, mode="nearest"), length)


def _valleys_over_floor(prime: Array | Samples, rate: int, floor_db: Array) -> Array:
    """Measure how far a prime's valleys lie over a floor in both halves of the bands; and 1."""
    over = noise_under_partials(prime.astype(np.float64), rate) - floor_db
    return np.array([np.median(over[: BANDS // 2]), np.median(over[BANDS // 2 :]), 1.0])


def _quietest_levels(after: Array, rate: int) -> Array:
    """Measure each band where it is quietest, as the level of white noise (dB)."""
    length = round(FRAME_SECONDS * rate)
    power = power_spectra(after, length, length // HOPS_PER_FRAME)
    return _as_noise(np.percentile(power, TIMES_PERCENTILE, axis=0), length)


def _as_noise(tenth: Array, length: int) -> Array:
    """Convert 10th percentiles of spectra to the mean power of noise, by bands (dB)."""
    # Spectra are scaled for sines; in white noise a Hann frame's bin has 6 / length of the power.
    level = tenth / TENTH_OF_NOISE * length / 6
    position = np.linspace(0.0, len(level) - 1.0, BANDS)
    decibels = 10 * np.log10(level + 10 ** (SILENCE_DB / 10))
    return np.asarray(np.interp(position, np.arange(len(level)), decibels))
