from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.attractor import attractor
from tests.synthetic import damped

RATE = 8000
T = np.arange(2 * RATE) / RATE


def test_notes_of_different_pitch_are_unlike() -> None:
    notes = [
        damped([f, 2 * f], [3.0, 2.0], rate=RATE, seed=k) for k, f in enumerate((220, 261, 330))
    ]
    assert attractor(notes, RATE) < 0.1


def test_one_limit_cycle_at_different_phase_level_and_sign_is_found() -> None:
    tails = [0.1 * np.sin(2 * np.pi * 517 * T), -1e-3 * np.sin(2 * np.pi * 517 * T + 1.0)]
    assert attractor(tails, RATE) > 0.98


def test_one_repeated_block_is_found() -> None:
    block = np.random.default_rng(0).standard_normal(133)
    tails = [np.tile(block, 100), np.tile(np.roll(block, 40), 90)]
    assert attractor(tails, RATE) > 0.95


def test_a_shared_tail_under_different_notes() -> None:
    shared = 0.05 * np.random.default_rng(1).standard_normal(len(T))
    notes = [damped([f], [0.5], seconds=2.0, rate=RATE) + shared for f in (220, 330)]
    assert attractor(notes, RATE) > 0.95


def test_noise_is_unlike_noise() -> None:
    generator = np.random.default_rng(2)
    assert attractor([generator.standard_normal(RATE) for _ in range(4)], RATE) < 0.1


def test_silent_or_broken_tails_are_no_tails() -> None:
    tone = np.sin(2 * np.pi * 440 * T)
    assert np.isnan(attractor([], RATE))
    assert np.isnan(attractor([tone], RATE))
    assert np.isnan(attractor([tone, 0.0 * tone, np.full(RATE, np.nan)], RATE))


def test_lengths_may_differ() -> None:
    tone = np.sin(2 * np.pi * 440 * T)
    assert attractor([tone, tone[: RATE // 2]], RATE) == pytest.approx(0.5**0.5, abs=0.02)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_polarity_does_not_matter(sign: float) -> None:
    """Pulses all of one sign correlate with their negative at no lag but by its size."""
    pulses = np.zeros(RATE)
    pulses[:: RATE // 10] = 1.0
    assert attractor([pulses, sign * pulses], RATE) == pytest.approx(1.0)


def test_half_a_sound_in_common_is_half_alike() -> None:
    """The end of one is the beginning of the other; nothing wraps around."""
    noise = np.random.default_rng(3).standard_normal(RATE + RATE // 2)
    assert attractor([noise[:RATE], noise[RATE // 2 :]], RATE) == pytest.approx(0.5, abs=0.03)
    shifted = np.roll(noise[:RATE], RATE // 2)
    assert attractor([noise[:RATE], shifted], RATE) == pytest.approx(0.5, abs=0.03)


def test_only_the_last_second_counts() -> None:
    generator = np.random.default_rng(4)
    start = generator.standard_normal(RATE)
    ends = [generator.standard_normal(RATE) for _ in range(2)]
    assert attractor([np.concatenate([start, end]) for end in ends], RATE) < 0.1
    assert attractor([np.concatenate([end, start]) for end in ends], RATE) == pytest.approx(1.0)
