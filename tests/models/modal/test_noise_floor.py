"""The noise floor of recordings is measured under their notes, and synthesised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from notedecay.models.modal.noise_floor import (
    BANDS,
    SILENCE_DB,
    NoiseFloor,
    SplitNote,
    fit_noise_floor,
    noise_under_partials,
    silent_floor,
    synthesise_noise,
)
from tests.synthetic import damped

RATE = 8000
PRIME = np.ones(RATE // 3, np.float32)
CUT = len(PRIME)


def note(noise_db: float, seed: int = 0) -> SplitNote:
    """A note in noise, low-pass at 2 kHz."""
    lowpass = butter(6, 2000, fs=RATE, output="sos")
    noise = sosfilt(lowpass, np.random.default_rng(seed).standard_normal(4 * RATE))
    tone = damped([440.0 * 1.06**seed], [1.0], [1.0], rate=RATE, seconds=4.0).astype(np.float64)
    samples = 2 * tone + 10 ** (noise_db / 20) * noise
    return SplitNote(samples[:CUT], samples[CUT:], RATE)


def notes(noise_db: float, count: int = 8) -> list[SplitNote]:
    return [note(noise_db, seed) for seed in range(count)]


def steady(level_db: float) -> NoiseFloor:
    """A floor that is the same under every note."""
    return silent_floor()._replace(level_db=np.full(BANDS, level_db))


@pytest.mark.parametrize("noise_db", [-40.0, -70.0])
def test_the_floor_is_that_of_the_noise_under_the_notes(noise_db: float) -> None:
    floor = fit_noise_floor(notes(noise_db)).level_db
    below, above = floor[: BANDS // 2 - 16], floor[BANDS // 2 + 40 :]
    assert np.median(below) == pytest.approx(noise_db, abs=1.5)
    assert np.median(above) < noise_db - 25


def test_noise_has_the_level_and_spectrum_of_the_floor() -> None:
    made = synthesise_noise(
        fit_noise_floor(notes(-40.0)), 8 * RATE, note(-40.0, 9).prime.astype(np.float32), RATE
    )
    again = fit_noise_floor([SplitNote(made, made, RATE)] * 8).level_db
    assert np.median(again[: BANDS // 2 - 16]) == pytest.approx(-40, abs=2)
    assert np.median(again[BANDS // 2 + 40 :]) < -65


@pytest.mark.parametrize("noise_db", [-72.0, -60.0, -48.0])
def test_the_valleys_of_a_prime_predict_the_level_of_its_noise(noise_db: float) -> None:
    training = [note(level, seed) for seed, level in enumerate(np.linspace(-75, -45, 16))]
    prime = note(noise_db, 20).prime.astype(np.float32)
    made = synthesise_noise(fit_noise_floor(training), 8 * RATE, prime, RATE)
    level_db = 20 * np.log10(made.std() * 2**0.5)  # half of the bands are silent
    assert level_db == pytest.approx(noise_db, abs=2.5)


def test_noise_is_no_louder_than_under_the_training_notes() -> None:
    training = [note(level, seed) for seed, level in enumerate(np.linspace(-75, -45, 16))]
    made = synthesise_noise(
        fit_noise_floor(training), 8 * RATE, note(-10.0, 20).prime.astype(np.float32), RATE
    )
    assert 20 * np.log10(made.std() * 2**0.5) < -43


def test_the_noise_under_a_tone_is_measured() -> None:
    found = noise_under_partials(note(-50.0).prime, RATE)
    assert np.median(found[: BANDS // 2 - 16]) == pytest.approx(-50, abs=2)
    assert np.median(found[BANDS // 2 + 40 :]) < -75
    assert noise_under_partials(np.zeros(100), RATE).max() == pytest.approx(SILENCE_DB, abs=20)


def test_noise_is_the_same_for_the_same_prime_alone() -> None:
    floor = NoiseFloor(np.full(BANDS, -80.0), np.array([0.1, 0.1, 0.0]), np.array([-20.0, 20.0]))
    prime = note(-60.0).prime.astype(np.float32)
    made = synthesise_noise(floor, 1000, prime, RATE)
    assert np.array_equal(made, synthesise_noise(floor, 1000, prime / 8, RATE))
    assert abs(np.corrcoef(made, synthesise_noise(floor, 1000, -prime, RATE))[0, 1]) < 0.2


def test_without_a_floor_there_is_silence() -> None:
    assert not synthesise_noise(silent_floor(), 1000, PRIME, RATE).any()
    assert len(synthesise_noise(steady(-50.0), 0, PRIME, RATE)) == 0
    assert not synthesise_noise(steady(-50.0), 1000, PRIME[:0], RATE).any()
    silent = SplitNote(PRIME.astype(np.float64), np.zeros(RATE), RATE)
    assert fit_noise_floor([silent] * 8).level_db.max() == pytest.approx(SILENCE_DB, abs=20)


def test_notes_with_a_silent_prime_are_left_out() -> None:
    silent = [note(-10.0, seed)._replace(prime=np.zeros(CUT)) for seed in range(9)]
    assert fit_noise_floor(silent).level_db.max() == SILENCE_DB
    together, alone = fit_noise_floor(notes(-50.0) + silent), fit_noise_floor(notes(-50.0))
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def held(seed: int) -> SplitNote:
    """A dense low note that does not decay."""
    low = [(27.0 + seed) * k for k in range(1, 12)]
    samples = damped(low, [1e6] * 11, rate=RATE, seed=seed, noise_db=-90).astype(np.float64)
    return SplitNote(samples[:CUT], samples[CUT:], RATE)


def test_tones_that_notes_hold_are_no_noise() -> None:
    assert fit_noise_floor([held(0)] * 3).level_db.max() == SILENCE_DB
    tones = [held(seed) for seed in range(20)]
    floor = fit_noise_floor(tones)
    assert floor.level_db.max() <= -40
    made = synthesise_noise(floor, 2 * RATE, tones[3].prime.astype(np.float32), RATE)
    assert 20 * np.log10(made.std()) <= -40


def test_notes_that_still_sound_at_their_ends_are_not_taken_for_noisy_ones() -> None:
    training = [*(held(seed) for seed in range(5)), *notes(-60.0, 20)]
    for prime in (note(-60.0, 21).prime, held(7).prime):
        made = synthesise_noise(fit_noise_floor(training), 2 * RATE, prime.astype(np.float32), RATE)
        assert 20 * np.log10(made.std()) < -57
