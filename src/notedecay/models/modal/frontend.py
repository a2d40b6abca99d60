"""Analysis of a prime for the modal model: its partials, their features, and the crossfade."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.models.base import Signal
from notedecay.models.baselines.esprit import Complex, fit_damped, synthesise
from notedecay.models.modal.features import partial_features
from notedecay.models.modal.partials import MIN_SAMPLES, Array, Partials, find_partials

CROSSFADE_SECONDS = 0.1
"""Length of the crossfade from ESPRIT's continuation of the prime to the partials (s)."""
ESPRIT_ORDER = 96
"""Sinusoids of ESPRIT: what no partial explains, the rest of the attack, takes many."""
ATTACK_SHARE = 0.5
"""Beginning of the prime that ESPRIT leaves out: a continuation depends on the newest sound."""
MAX_DISTANCE_HZ, MAX_DAMPING = 5.0, 25.0
"""Distance (Hz) and damping (1/s) up to which a sinusoid of ESPRIT belongs to a partial."""
ENERGY_SECONDS = 0.3
"""Stretch after the prime by whose energy a sinusoid counts in a partial's frequency (s)."""


class PrimeAnalysis(NamedTuple):
    """Analysis of a prime; levels are relative to its peak."""

    partials: Partials
    features: Array
    crossfade: Samples
    """ESPRIT's continuation of the prime over the length of the crossfade."""


@lru_cache(maxsize=1024)
def analyse_prime(prime: bytes, signal: Signal) -> PrimeAnalysis:
    """Analyse a prime; cached, since a search analyses the same notes in every trial.

    Parameters
    ----------
    prime : bytes
        Its float32 samples.
    signal : Signal
        Signal settings of the model.

    Returns
    -------
    PrimeAnalysis
    """
    normal, partials, features = find_and_describe_partials(
        np.frombuffer(prime, dtype=np.float32), signal.rate
    )
    later = normal[round(ATTACK_SHARE * len(normal)) :].astype(np.float32)
    poles, amplitudes = fit_damped(later, ESPRIT_ORDER)
    at_the_end = amplitudes * poles ** len(later)
    made = synthesise(poles, at_the_end, round(CROSSFADE_SECONDS * signal.rate))
    partials = _with_esprit_frequencies(partials, poles, at_the_end, signal.rate)
    return PrimeAnalysis(partials, features, made.astype(np.float32))


def find_and_describe_partials(prime: Samples, rate: int) -> tuple[Array, Partials, Array]:
    """Find the partials of a prime and compute their features.

    Parameters
    ----------
    prime : ndarray of float32, shape (samples,)
        At any level; silent and short ones have no partials.
    rate : int
        Hz.

    Returns
    -------
    normal : ndarray of float64, shape (samples or more,)
        The prime at a peak of 1, after silence where it is too short.
    partials : Partials
        At that level.
    features : ndarray of float64, shape (partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.
    """
    samples = np.pad(prime, (max(0, MIN_SAMPLES - len(prime)), 0))
    peak = max(float(np.max(np.abs(samples))), 1e-30)
    normal = (samples / peak).astype(np.float64)
    partials = find_partials(normal, rate)
    return normal, partials, partial_features(normal, rate, partials)


def _with_esprit_frequencies(
    partials: Partials, poles: Complex, at_the_end: Complex, rate: int
) -> Partials:
    """Replace each partial's frequency by ESPRIT's estimate over half of the prime.

    ESPRIT separates a partial from nearby lines that are too weak or too close to be partials
    themselves, and averages over a longer time, over which a plucked string's frequency strays
    less (for primes of 100 ms or less it is no better). Where it finds several sinusoids for a
    partial that glides or beats, their mean counts, weighted by the energy that each has left.
    """
    found_hz, energy = _slow_sinusoids(poles, at_the_end, rate)
    near = np.abs(partials.frequency_hz[:, np.newaxis] - found_hz) < MAX_DISTANCE_HZ
    total = near @ energy
    mean_hz = near @ (energy * found_hz) / np.maximum(total, 1e-300)
    return replace(partials, frequency_hz=np.where(total > 0, mean_hz, partials.frequency_hz))


def _slow_sinusoids(poles: Complex, at_the_end: Complex, rate: int) -> tuple[Array, Array]:
    """Find the frequencies (Hz) of slowly damped sinusoids, and their energy after the prime."""
    damping = -np.log(np.maximum(np.abs(poles), 1e-12)) * rate
    frequency_hz = np.angle(poles) * rate / (2 * np.pi)
    power = np.abs(at_the_end) ** 2
    energy = power * -np.expm1(-2 * damping * ENERGY_SECONDS) / np.maximum(2 * damping, 1e-9)
    slow = (frequency_hz > 0) & (damping < MAX_DAMPING)
    return frequency_hz[slow], energy[slow]
