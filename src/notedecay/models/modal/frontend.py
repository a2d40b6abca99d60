"""A prime, taken apart: what a modal continuator hears in it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.models.base import Signal
from notedecay.models.baselines.esprit import Esprit, EspritConfig, fit_damped
from notedecay.models.modal.features import partial_features
from notedecay.models.modal.partials import FEWEST_SAMPLES, Array, Partials, find_partials

JOINT_SECONDS = 0.1
"""How long what ESPRIT hears in the prime fades out."""
JOINT_ORDER = 96
"""Damped sinusoids of ESPRIT at the joint: what no partial explains takes many."""
ATTACK_SHARE = 0.3
"""Of the prime, in which ESPRIT does not look for frequencies."""
NEAR_HZ, QUICKEST = 5.0, 25.0
"""Distance and damping (1/s) up to which what ESPRIT finds is a partial's frequency."""
SOON_SECONDS = 0.3
"""After the prime: by its energy until then a line counts in a partial's frequency."""


class Heard(NamedTuple):
    """A prime, taken apart; levels are relative to its peak."""

    partials: Partials
    features: Array
    joint: Samples
    """What ESPRIT continues it with, for as long as that counts."""


@lru_cache(maxsize=1024)
def hear(prime: bytes, signal: Signal) -> Heard:
    """Take a prime apart, once: a search hears the same notes in every trial.

    Parameters
    ----------
    prime : bytes
        Its float32 samples.
    signal : Signal
        How it is heard.

    Returns
    -------
    Heard
    """
    normal, partials, features = take_apart(np.frombuffer(prime, dtype=np.float32), signal.rate)
    # The joint follows from the newest sound alone; older sound only bends the fit.
    attack = signal.prime_seconds / 2
    esprit = Esprit(signal, EspritConfig(order=JOINT_ORDER, attack_seconds=attack))
    joint = esprit.continue_prime(normal.astype(np.float32), round(JOINT_SECONDS * signal.rate))
    return Heard(_tuned(partials, normal, signal.rate), features, joint)


def take_apart(prime: Samples, rate: int) -> tuple[Array, Partials, Array]:
    """Find the partials of a prime, and describe them.

    Parameters
    ----------
    prime : ndarray of float32, shape (samples,)
        At any level; silence and short ones have no partials.
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
    samples = np.pad(prime, (max(0, FEWEST_SAMPLES - len(prime)), 0))
    peak = max(float(np.max(np.abs(samples))), 1e-30)
    normal = (samples / peak).astype(np.float64)
    partials = find_partials(normal, rate)
    return normal, partials, partial_features(normal, rate, partials)


def _tuned(partials: Partials, prime: Array, rate: int) -> Partials:
    """Take each partial's frequency from ESPRIT.

    It is told apart there from the lines beside it that are too weak or too near to be partials
    themselves, and is the mean over a longer while, from which a plucked string's strays less
    (of primes of 100 ms or less, where the fit hears as much, it is no better). Where ESPRIT
    takes a partial that glides or beats for several lines, it is their mean by the energy that
    they have yet to give away.
    """
    later = prime[round(ATTACK_SHARE * len(prime)) :].astype(np.float32)
    found_hz, energy = _ringing(later, rate)
    near = np.abs(partials.frequency_hz[:, np.newaxis] - found_hz) < NEAR_HZ
    total = near @ energy
    mean_hz = near @ (energy * found_hz) / np.maximum(total, 1e-300)
    return replace(partials, frequency_hz=np.where(total > 0, mean_hz, partials.frequency_hz))


def _ringing(samples: Samples, rate: int) -> tuple[Array, Array]:
    """Frequencies (Hz) of what rings on for a while, and its energy soon after the samples."""
    poles, amplitudes = fit_damped(samples, JOINT_ORDER)
    damping = -np.log(np.maximum(np.abs(poles), 1e-12)) * rate
    frequency_hz = np.angle(poles) * rate / (2 * np.pi)
    power = np.abs(amplitudes * poles ** len(samples)) ** 2
    energy = power * -np.expm1(-2 * damping * SOON_SECONDS) / np.maximum(2 * damping, 1e-9)
    rings = (frequency_hz > 0) & (damping < QUICKEST)
    return frequency_hz[rings], energy[rings]
