"""Linear prediction: steady tones go on, nothing runs away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.audio.prediction import MAX_RISE, extrapolate
from notedecay.models import Signal, create
from tests.synthetic import damped

SIGNAL = Signal(instrument="test", rate=8000)


def test_steady_tones_go_on() -> None:
    note = damped([220, 447, 663], [1e6] * 3, seconds=1.0, noise_db=-80)
    made = create("burg", SIGNAL, {"order": 200}).continue_prime(note[: SIGNAL.prime_samples], 1600)
    error = made - note[SIGNAL.prime_samples :][:1600]
    assert 20 * np.log10(note.std() / error.std()) > 20


def test_extrapolation_is_the_recursion_of_its_coefficients() -> None:
    x = np.array([1.0, 0.5, 0.25, 0.5])
    y = extrapolate(x, np.array([1.0, -0.6, 0.2]), 3)
    first = 0.6 * 0.5 - 0.2 * 0.25
    second = 0.6 * first - 0.2 * 0.5
    assert np.allclose(y, [first, second, 0.6 * second - 0.2 * first])


def test_a_growing_filter_is_drawn_inwards() -> None:
    y = extrapolate(np.ones(10), np.array([1.0, -1.001]), 100_000)
    assert np.abs(y).max() <= MAX_RISE


def test_what_rises_to_more_than_twice_the_peak_is_drawn_inwards() -> None:
    growing = np.array([1.0, -1.001])
    assert extrapolate(np.ones(10), growing, 600)[-1] == pytest.approx(1.001**600)
    assert np.abs(extrapolate(np.ones(10), growing, 1600)).max() <= 2.0  # 1.001**1600 is 4.9


def test_no_more_coefficients_are_fitted_than_a_third_of_the_prime() -> None:
    prime = damped([220, 447], [2.0, 1.0], noise_db=-50)[:300]
    most, third = (
        create("burg", SIGNAL, {"order": n}).continue_prime(prime, 200) for n in (4096, 100)
    )
    assert np.array_equal(most, third)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(2, 600))
def test_nothing_runs_away(seed: int, noise: float, order: int) -> None:
    generator = np.random.default_rng(seed)
    tone = damped([generator.uniform(30, 3900)], [generator.uniform(0.05, 5)], seconds=0.4)
    prime = tone[: SIGNAL.prime_samples]
    prime = (prime + noise * generator.standard_normal(len(prime))).astype(np.float32)
    made = create("burg", SIGNAL, {"order": order}).continue_prime(prime, 40_000)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 1.001 * MAX_RISE * np.abs(prime).max()


def test_real_notes_do_not_grow(real_data: Path) -> None:
    for path in sorted((real_data / "iowa" / "cello").glob("*sulC.*"))[:4]:
        note = soundfile.read(path, always_2d=True, dtype="float32")[0][::4, 0]
        start = int(np.argmax(np.abs(note)))
        prime = note[start : start + SIGNAL.prime_samples]
        made = create("burg", SIGNAL, {}).continue_prime(prime, 24_000)
        assert np.square(made[-8000:]).mean() < np.square(prime).mean()


@pytest.mark.parametrize("constant", [0.5, 1e-30])
def test_a_constant_prime(constant: float) -> None:
    prime = np.full(SIGNAL.prime_samples, constant, np.float32)
    made = create("burg", SIGNAL, {}).continue_prime(prime, 4000)
    assert np.isfinite(made).all()
