"""The noise under notes is found beneath what sounds, and made again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from notedecay.continuators.modal_floor import BANDS, NONE_DB, hiss, noise_floor
from tests.synthetic import damped

RATE = 8000
PRIME = np.ones(100, np.float32)


def notes(noise_db: float, count: int = 8) -> list[tuple[np.ndarray, int]]:
    """Notes that end in noise, low-pass at 2 kHz."""
    lowpass = butter(6, 2000, fs=RATE, output="sos")
    found = []
    for seed in range(count):
        white = np.random.default_rng(seed).standard_normal(4 * RATE)
        noise = 10 ** (noise_db / 20) * sosfilt(lowpass, white)
        tone = damped([440.0 * 1.06**seed], [1.0], [1.0], rate=RATE, seconds=4.0)
        found.append((tone.astype(np.float64) + noise, RATE))
    return found


@pytest.mark.parametrize("noise_db", [-40.0, -70.0])
def test_the_floor_is_that_of_the_noise_under_the_notes(noise_db: float) -> None:
    floor = noise_floor(notes(noise_db))
    below, above = floor[: BANDS // 2 - 16], floor[BANDS // 2 + 40 :]
    assert np.median(below) == pytest.approx(noise_db, abs=1.5)
    assert np.median(above) < noise_db - 25


def test_hiss_has_the_level_and_colour_of_the_floor() -> None:
    made = hiss(noise_floor(notes(-40.0)), 8 * RATE, PRIME)
    again = noise_floor([(made, RATE)] * 8)
    assert np.median(again[: BANDS // 2 - 16]) == pytest.approx(-40, abs=2)
    assert np.median(again[BANDS // 2 + 40 :]) < -65


def test_hiss_is_the_same_for_the_same_prime_alone() -> None:
    floor = np.full(BANDS, -50.0)
    made = hiss(floor, 1000, PRIME)
    assert np.array_equal(made, hiss(floor, 1000, 0.1 * PRIME.astype(np.float64)))
    assert abs(np.corrcoef(made, hiss(floor, 1000, -PRIME))[0, 1]) < 0.2


def test_without_a_floor_there_is_silence() -> None:
    assert not hiss(np.full(BANDS, NONE_DB), 1000, PRIME).any()
    assert len(hiss(np.full(BANDS, -50.0), 0, PRIME)) == 0
    assert noise_floor([(np.zeros(RATE), RATE)] * 8).max() == pytest.approx(NONE_DB, abs=20)


def test_tones_that_few_notes_hold_are_no_noise() -> None:
    held = damped([30.0 * k for k in range(1, 9)], [1e6] * 8, rate=RATE).astype(np.float64)
    assert noise_floor([(held, RATE)] * 3).max() == NONE_DB
    assert noise_floor([(held, RATE)] * 20).max() <= -40
