"""Features of how a partial beats, against notes of known modes."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.decay import decay_times, envelope_floors, partial_envelopes
from notedecay.models.modal.beat_features import beat_features

RATE = 8000
PRIME = round(0.33 * RATE)
T60_BY_ONE, UNEXPLAINED_BY_ONE, T60_BY_TWO, UNEXPLAINED_BY_TWO, APART = 5, 6, 7, 8, 12
"""Columns of the first window."""


def damped_modes(*modes: tuple[float, float, complex]) -> np.ndarray:
    """Modes of a frequency (Hz), T60 (s) and amplitude at the onset."""
    times = np.arange(4 * RATE) / RATE
    damped = (a * np.exp((2j * np.pi * f - 6.908 / t60) * times) for f, t60, a in modes)
    return sum(mode.real for mode in damped) / 2


@pytest.mark.parametrize("t60", [0.3, 1.0, 3.0])
def test_one_mode_predicts_its_own_decay_time(t60: float) -> None:
    features = beat_features(damped_modes((440, t60, 1))[:PRIME], RATE, np.array([440.3]))[0]
    assert np.exp(features[T60_BY_ONE]) == pytest.approx(t60, rel=0.02)
    assert np.exp(features[UNEXPLAINED_BY_ONE]) < 2e-3


def test_two_modes_predict_how_a_partial_that_beats_decays() -> None:
    note = damped_modes((440, 3.0, 1), (441.5, 0.8, 0.5j))
    envelopes = partial_envelopes(note[PRIME:], RATE, np.array([440.0]))
    true = decay_times(envelopes, envelope_floors(envelopes))[0]
    features = beat_features(note[:PRIME], RATE, np.array([440.0]))[0]
    assert np.exp(features[T60_BY_TWO]) == pytest.approx(true, rel=0.1)
    assert abs(np.log(np.exp(features[T60_BY_ONE]) / true)) > 0.3
    assert np.exp(features[APART]) == pytest.approx(2 * np.pi * 1.5, rel=0.05)
    assert features[UNEXPLAINED_BY_TWO] < features[UNEXPLAINED_BY_ONE] - 1


def test_two_modes_are_described_from_the_loud_one_to_the_faint_one() -> None:
    """Their ratio in the last window of the prime, then the damping of each (1/s)."""
    note = damped_modes((440, 0.8, 0.5j), (441.5, 3.0, 1))
    ratio, loud, faint = beat_features(note[:PRIME], RATE, np.array([440.0]))[0, 9:12]
    at_the_end = [a * 10 ** (-3 * PRIME / RATE / t60) for a, t60 in ((1.0, 3.0), (0.5, 0.8))]
    assert np.exp(ratio) == pytest.approx(at_the_end[1] / at_the_end[0], rel=0.25)
    assert np.sinh([loud, faint]) == pytest.approx([-6.908 / 3.0, -6.908 / 0.8], rel=0.05)


def test_a_mode_that_has_decayed_hides_no_slower_one() -> None:
    note = damped_modes((440, 3.0, 0.1), (440.5, 0.06, 1))
    features = beat_features(note[: RATE // 2], RATE, np.array([440.0]))[0]
    assert np.exp(features[T60_BY_TWO]) == pytest.approx(3.0, rel=0.05)


def test_the_level_does_not_matter() -> None:
    prime = damped_modes((440, 3.0, 1), (441.5, 0.8, 0.5j), (900, 1.0, 0.1))[:PRIME]
    loud, soft = (beat_features(gain * prime, RATE, np.array([440.0, 900.0])) for gain in (1, 0.1))
    assert np.allclose(loud, soft, atol=1e-3)


@pytest.mark.parametrize("samples", [64, 100, 800, PRIME])
def test_silence_noise_and_short_primes_give_finite_numbers(samples: int) -> None:
    noise = np.random.default_rng(0).standard_normal(samples)
    for prime in (np.zeros(samples), noise):
        features = beat_features(prime, RATE, np.array([0.0, 440.0, 3999.0]))
        assert features.shape == (3, 32)
        assert np.isfinite(features).all()
    assert beat_features(noise, RATE, np.zeros(0)).shape == (0, 32)
