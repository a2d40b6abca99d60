from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.metrics import decay_time, partial_envelopes, schroeder_db, schroeder_t60
from tests.synthetic import damped

RATE = 8400


@pytest.mark.parametrize("t60", [0.3, 1.0, 2.0])
def test_t60_of_a_note_that_has_died_away(t60: float) -> None:
    note = damped([440.0], [t60], seconds=2.0 * t60, rate=RATE)
    assert schroeder_t60(note, RATE) == pytest.approx(t60, rel=0.01)


def test_the_curve_of_a_damped_sine_is_its_line() -> None:
    curve = schroeder_db(damped([440.0], [1.0], seconds=3.0, rate=RATE))
    assert curve[0] == 0.0
    assert (np.diff(curve) <= 0.0).all()
    assert curve[RATE // 2] == pytest.approx(-30.0, abs=0.2)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0, 5.0])
def test_the_trap_a_steady_tone_gets_a_plausible_t60(seconds: float) -> None:
    """The T60 is the window's, not the tone's; the slope of the partial is not deceived."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)
    assert schroeder_t60(tone, RATE) == pytest.approx(1.56 * seconds, rel=0.02)
    envelope = partial_envelopes(tone, RATE, np.array([440.0]))[0]
    assert np.isposinf(decay_time(envelope, -100.0))


def test_the_trap_a_slow_decay_cut_short_reads_too_fast() -> None:
    note = damped([440.0], [15.0], seconds=3.0, rate=RATE)
    assert schroeder_t60(note, RATE) < 0.5 * 15.0


def test_the_trap_noise_hides_the_decay() -> None:
    note = damped([440.0], [1.0], seconds=5.0, rate=RATE, noise_db=-30.0)
    assert schroeder_t60(note, RATE) > 1.5


def test_silence_has_no_t60() -> None:
    assert schroeder_db(np.zeros(10)).tolist() == [-200.0] * 10
    assert np.isnan(schroeder_t60(np.zeros(RATE), RATE))
    assert np.isnan(schroeder_t60(np.ones(1), RATE))


@given(st.lists(st.floats(-1.0, 1.0, width=32), min_size=1, max_size=200))
def test_the_curve_never_rises(samples: list[float]) -> None:
    curve = schroeder_db(np.array(samples))
    assert np.isfinite(curve).all()
    assert (np.diff(curve) <= 1e-9).all()
