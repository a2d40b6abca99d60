"""Analysis of a prime: partials, their features, and the start of the crossfade."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.models import Signal, create
from notedecay.models.baselines.esprit import fit_damped
from notedecay.models.modal import frontend
from notedecay.models.modal.frontend import analyse_prime, find_and_describe_partials
from notedecay.models.modal.partials import find_partials
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
PRIME = SIGNAL.prime_samples


def test_a_weak_line_beside_a_partial_does_not_move_its_frequency() -> None:
    note = damped([440, 447, 1000], [2.0, 0.8, 1.5], [1, 0.3, 0.5], rate=RATE, noise_db=-70)
    prime = note[:PRIME]
    plain = find_partials(prime.astype(np.float64), RATE).frequency_hz
    tuned = analyse_prime(prime.tobytes(), SIGNAL).partials.frequency_hz
    assert np.abs(tuned - 440).min() < 0.02
    assert np.abs(tuned - 1000).min() < 0.02
    assert np.abs(plain - 440).min() > 0.1


@pytest.mark.parametrize("apart_hz", [2.0, 3.0])
def test_lines_too_near_to_be_partials_give_one_the_mean_of_their_energy(apart_hz: float) -> None:
    note = damped([440, 440 + apart_hz], [2.0, 2.0], [1, 0.5], rate=RATE, noise_db=-90)
    tuned = analyse_prime(note[:PRIME].tobytes(), SIGNAL).partials.frequency_hz
    assert len(tuned) == 1
    assert tuned[0] == pytest.approx(440 + apart_hz * 0.25 / 1.25, abs=0.05)


def test_of_two_lines_the_one_that_has_decayed_counts_little() -> None:
    note = damped([440, 443], [4.0, 0.4], rate=RATE, noise_db=-90)
    tuned = analyse_prime(note[:PRIME].tobytes(), SIGNAL).partials.frequency_hz
    assert np.abs(tuned - 440).min() < 0.1


@pytest.mark.parametrize(
    ("apart_hz", "t60", "quick_t60"), [(3.0, 6.0, 0.6), (3.0, 4.0, 0.5), (2.5, 8.0, 0.7)]
)
def test_close_modes_are_averaged_by_their_remaining_energy(
    apart_hz: float, t60: float, quick_t60: float
) -> None:
    """Two modes of equal power where the prime ends; their energy in the next 0.3 s is summed."""
    t = np.arange(-PRIME, round(0.3 * RATE)) / RATE
    lines_hz = np.array([440.0, 440.0 + apart_hz])
    falls = [10 ** (-3 * t / each) for each in (t60, quick_t60)]
    lines = 0.1 * np.cos(2 * np.pi * np.outer(lines_hz, t) + [[0.0], [1.0]]) * falls
    noise = 1e-5 * np.random.default_rng(0).standard_normal(PRIME)
    prime = (lines[:, :PRIME].sum(axis=0) + noise).astype(np.float32)
    tuned = analyse_prime(prime.tobytes(), SIGNAL).partials.frequency_hz
    energy = np.square(lines[:, PRIME:]).sum(axis=1)
    assert len(tuned) == 1
    assert tuned[0] == pytest.approx(lines_hz @ energy / energy.sum(), abs=0.02)


def test_noise_in_the_first_quarter_of_the_prime_does_not_shift_frequencies() -> None:
    t = np.arange(PRIME) / RATE
    lines_hz = np.array([440.0, 447.0, 1000.0])
    prime = (np.cos(2 * np.pi * np.outer(lines_hz, t)) * 10 ** (-3 * t / 2)).sum(axis=0)
    noise = np.random.default_rng(0).standard_normal(PRIME)
    prime += np.where(t < t[-1] / 4, 1.0, 1e-4) * noise
    prime = (prime / np.abs(prime).max()).astype(np.float32)
    tuned = analyse_prime(prime.tobytes(), SIGNAL).partials.frequency_hz
    for partial_hz in (440.0, 1000.0):
        assert np.abs(tuned - partial_hz).min() < 0.002


def test_the_crossfade_is_esprits_continuation_of_the_newest_half() -> None:
    note = damped([440, 447, 1000], [2.0, 0.8, 1.5], [1, 0.3, 0.5], rate=RATE, noise_db=-70)
    prime = note[:PRIME] / np.abs(note[:PRIME]).max()
    esprit = create("esprit", SIGNAL, {"order": 96, "attack_seconds": SIGNAL.prime_seconds / 2})
    expected = esprit.continue_prime(prime, RATE // 10)
    found = analyse_prime(prime.tobytes(), SIGNAL).crossfade
    assert np.allclose(found, expected, atol=1e-6)
    assert np.abs(found - note[PRIME:][: RATE // 10] / np.abs(note[:PRIME]).max()).max() < 0.01


def test_one_fit_serves_frequencies_and_crossfade(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def counted(samples: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        lengths.append(len(samples))
        return fit_damped(samples, order)

    monkeypatch.setattr(frontend, "fit_damped", counted)
    analyse_prime(damped([330], [1.0], rate=RATE)[:PRIME].tobytes(), SIGNAL)
    assert lengths == [PRIME // 2]


@pytest.mark.parametrize("samples", [0, 1, 40, PRIME])
def test_silence_has_no_partials_and_continues_in_silence(samples: int) -> None:
    analysis = analyse_prime(np.zeros(samples, np.float32).tobytes(), SIGNAL)
    assert len(analysis.partials) == len(analysis.features) == 0
    assert not np.any(analysis.crossfade)


def test_the_level_is_normalised() -> None:
    prime = damped([440, 1000], [2.0, 1.5], rate=RATE, noise_db=-70)[:PRIME]
    normal, loud, _ = find_and_describe_partials(prime, RATE)
    _, soft, _ = find_and_describe_partials(prime / 8, RATE)
    assert np.abs(normal).max() == pytest.approx(1)
    assert np.allclose(np.abs(loud.amplitude), np.abs(soft.amplitude), rtol=1e-4)
