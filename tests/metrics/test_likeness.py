"""Likeness: 1 for one sound at any level and phase, 0 for sounds that share nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from notedecay.metrics import likeness
from tests.synthetic import damped

RATE = 4000


def tone(hz: float, seed: int = 0, seconds: float = 1.0) -> np.ndarray:
    return damped([hz], [2.0], seconds=seconds, rate=RATE, seed=seed)


def test_one_sound_at_other_levels_phases_and_lengths():
    sounds = [tone(300, 1), 0.01 * tone(300, 2), tone(300, 3, seconds=0.6)]
    assert likeness(sounds, RATE) > 0.99


def test_other_pitches_are_unlike():
    assert likeness([tone(hz) for hz in (220, 300, 410, 560)], RATE) < 0.01


def test_half_of_the_strength_in_common():
    sounds = [damped([300, hz], [2, 2], seconds=1, rate=RATE) for hz in (500, 700, 900)]
    assert likeness(sounds, RATE) == pytest.approx(0.5, abs=0.01)


def test_what_is_in_common_counts_by_its_amplitude():
    """Amplitudes 1 in common and 1/2 apart: the cosine is 1 / (1 + 1/4)."""
    sounds = [damped([300, hz], [2, 2], [1, 0.5], seconds=1, rate=RATE) for hz in (500, 700, 900)]
    assert likeness(sounds, RATE) == pytest.approx(0.8, abs=0.01)


def test_two_that_are_alike_among_many_do_not_count():
    assert likeness([tone(hz) for hz in (220, 220, 410, 560, 800)], RATE) < 0.01


def test_silence_is_like_silence_alone():
    silence = np.zeros(RATE, np.float32)
    assert likeness([silence, silence], RATE) == 1.0
    assert likeness([silence, tone(300)], RATE) == 0.0


@pytest.mark.parametrize("sounds", [[], [tone(300)], [tone(300), np.full(9, np.nan)]])
def test_fewer_than_two_say_nothing(sounds):
    assert math.isnan(likeness(sounds, RATE))


@given(
    st.lists(
        arrays(np.float32, st.integers(1, 2000), elements=st.floats(-1, 1, width=32)),
        min_size=2,
        max_size=5,
    )
)
def test_any_sounds_are_between_0_and_1(sounds):
    assert 0.0 <= likeness(sounds, RATE) <= 1.0
