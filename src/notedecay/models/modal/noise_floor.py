"""The noise of the recordings, into which every note of an instrument dies away."""

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
"""From 0 Hz to half the rate."""
FRAME_SECONDS, HOPS_PER_FRAME = 0.2, 2
TIMES_PERCENTILE, NOTES_PERCENTILE = 10.0, 25.0
"""Noise is where a band is quiet, over the times of a note and over notes, or over its bands."""
TENTH_OF_NOISE = 0.105
"""What the 10th percentile of noise's power is of its mean: -ln 0.9."""
SMOOTH_BANDS = 5
LOUDEST_DB = -40.0
"""What is steady and louder is a tone that the notes hold."""
FEWEST = 8
"""Of fewer notes, what they have in common may be what they play."""
NONE_DB = -220.0
"""Stands for no noise."""
USUAL_PERCENTILES = (5.0, 95.0)
"""Between which what a note has more than the common floor is no odd one out."""
VALLEY_HZ = 400.0
"""Width of the neighbourhood in which a prime is asked how quiet it is between its partials."""


class Halves(NamedTuple):
    """A note cut where its prime ends; both parts divided by the prime's peak."""

    prime: Array
    after: Array
    rate: int
    """Hz."""


class Floor(NamedTuple):
    """The noise that the notes of an instrument have in common, and how it differs among them.

    Attributes
    ----------
    level_db : ndarray of float64, shape (BANDS,)
        Power of white noise that is as strong in each band (dB).
    lean : ndarray of float64, shape (3,)
        How many dB more a note has for each dB that the valleys of its prime lie higher, those
        of the lower and of the upper half of the bands, and how many in any case.
    bounds_db : ndarray of float64, shape (2,)
        The least and the most that notes usually have more (dB).
    """

    level_db: Array
    lean: Array
    bounds_db: Array


def no_floor() -> Floor:
    """Silence."""
    return Floor(np.full(BANDS, NONE_DB), np.zeros(3), np.zeros(2))


def noise_floor(notes: Sequence[Halves]) -> Floor:
    """Find the steady noise that notes have in common, and how primes tell who has more.

    Parameters
    ----------
    notes : sequence of Halves
        Fewer than 8 with a prime that sounds tell of no noise.

    Returns
    -------
    Floor
        A band in which most notes still sound at their ends has the level of those that do not.
    """
    notes = [note for note in notes if note.prime.any()]
    if len(notes) < FEWEST:
        return no_floor()
    levels = np.array([_quietest(note.after, note.rate) for note in notes])
    smooth = median_filter(
        np.percentile(levels, NOTES_PERCENTILE, axis=0), size=SMOOTH_BANDS, mode="nearest"
    )
    common = np.minimum(smooth, LOUDEST_DB)
    more = np.percentile(levels - common, NOTES_PERCENTILE, axis=1)
    bounds = np.percentile(more, USUAL_PERCENTILES)
    valleys = np.array([_valleys(note.prime, note.rate, common) for note in notes])
    lean = np.linalg.lstsq(valleys, np.clip(more, *bounds), rcond=None)[0]
    return Floor(common, lean, bounds)


def hiss(floor: Floor, samples: int, prime: Samples, rate: int) -> Array:
    """Make noise of a floor's colour, as much as the prime lets expect.

    It is the same for the same prime and other for another, and filtered as a circle: a longer
    one begins a little otherwise than a shorter one.

    Parameters
    ----------
    floor : Floor
        From :func:`noise_floor`.
    samples : int
        How many to make.
    prime : ndarray of float32
        What it follows, at any level.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (samples,)
        For a prime of peak 1.
    """
    if samples == 0 or not len(prime) or floor.level_db.max() <= NONE_DB:
        return np.zeros(samples)
    normal = prime / max(float(np.max(np.abs(prime))), 1e-30)
    more_db = np.clip(_valleys(normal, rate, floor.level_db) @ floor.lean, *floor.bounds_db)
    seed = zlib.crc32(np.signbit(prime).tobytes())  # at whatever level the prime comes
    white = np.random.default_rng(seed).standard_normal(samples)
    spectrum = np.fft.rfft(white)
    place = np.linspace(0.0, BANDS - 1.0, len(spectrum))
    level_db = np.minimum(floor.level_db + more_db, LOUDEST_DB)
    colour = 10 ** (np.interp(place, np.arange(BANDS), level_db) / 20)
    return np.asarray(np.fft.irfft(spectrum * colour, samples))


def beneath(prime: Array, rate: int) -> Array:
    """Level beneath the partials of a prime's end: its noise, or what still rings of the attack.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        The last 200 ms count.
    rate : int
        Hz.

    Returns
    -------
    ndarray of float64, shape (BANDS,)
        Power of white noise that would be as strong in each band (dB).
    """
    length = min(len(prime), round(FRAME_SECONDS * rate))
    power = power_spectra(prime[-length:], length, length)[0]
    width = max(3, round(VALLEY_HZ * length / rate))
    return _as_noise(percentile_filter(power, TIMES_PERCENTILE, size=width, mode="nearest"), length)


def _valleys(prime: Array | Samples, rate: int, floor_db: Array) -> Array:
    """How far the valleys of a prime lie over a floor, in both halves of the bands, and 1."""
    over = beneath(prime.astype(np.float64), rate) - floor_db
    return np.array([np.median(over[: BANDS // 2]), np.median(over[BANDS // 2 :]), 1.0])


def _quietest(after: Array, rate: int) -> Array:
    """Level of each band where it is quietest, as that of white noise (dB)."""
    length = round(FRAME_SECONDS * rate)
    power = power_spectra(after, length, length // HOPS_PER_FRAME)
    return _as_noise(np.percentile(power, TIMES_PERCENTILE, axis=0), length)


def _as_noise(tenth: Array, length: int) -> Array:
    """Mean power of noise whose spectra have this 10th percentile, by bands (dB)."""
    # Scaled as a sine; in white noise a Hann frame's bin has 6 / length of the power.
    level = tenth / TENTH_OF_NOISE * length / 6
    place = np.linspace(0.0, len(level) - 1.0, BANDS)
    decibels = 10 * np.log10(level + 10 ** (NONE_DB / 10))
    return np.asarray(np.interp(place, np.arange(len(level)), decibels))
