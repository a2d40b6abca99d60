"""Folds: every pitch is unseen once, and neither trains nor validates there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.core.errors import UserError
from notedecay.data.folds import folds, outside
from notedecay.data.note import Clip


def clips(pitches: list[int], takes: int = 1) -> list[Clip]:
    silence = np.zeros(8, np.float32)
    return [Clip(f"x/{take}/{p}", p, silence, 8000) for p in pitches for take in range(takes)]


@given(
    st.lists(st.integers(21, 108), min_size=10, max_size=60, unique=True),
    st.integers(1, 3),
    st.integers(2, 5),
    st.integers(0, 99),
)
def test_every_note_is_unseen_once_and_no_pitch_is_on_both_sides(pitches, takes, count, seed):
    notes = clips(pitches, takes)
    pitch_of = {clip.id: clip.pitch for clip in notes}
    made = folds(notes, count, seed, 0.15)
    assert len(made) == count
    unseen = [id_ for fold in made for id_ in fold.unseen]
    assert sorted(unseen) == sorted(pitch_of)
    for fold in made:
        assert fold.unseen
        parts = [fold.train, fold.validation, fold.unseen]
        assert all(parts)
        assert sorted(id_ for part in parts for id_ in part) == sorted(pitch_of)
        of = [{pitch_of[id_] for id_ in part} for part in parts]
        assert len(of[0] | of[1] | of[2]) == sum(map(len, of))


def test_neighbours_are_in_different_folds():
    notes = clips(list(range(40, 65)))
    for fold in folds(notes, 5, 1, 0.15):
        assert len(fold.unseen) == 5
        assert len(fold.validation) == 4
    assert folds(notes, 5, 1, 0.15) == folds(notes, 5, 1, 0.15)
    assert folds(notes, 5, 1, 0.15) != folds(notes, 5, 2, 0.15)


def test_outside_keeps_both_ends_unseen():
    fold = outside(clips(list(range(40, 60))), 1, 0.15)
    assert fold.unseen == ("x/0/40", "x/0/41", "x/0/42", "x/0/57", "x/0/58", "x/0/59")
    assert len(fold.train) + len(fold.validation) == 14
    assert len(fold.validation) == 3
    assert {"x/0/43", "x/0/56"} <= {*fold.train, *fold.validation}


def test_too_few_pitches_are_refused():
    with pytest.raises(UserError, match="9 pitches are too few for 5 folds"):
        folds(clips(list(range(9))), 5, 0, 0.15)


def test_validation_never_takes_more_than_half_of_what_is_left():
    for fold in folds(clips(list(range(40, 50))), 2, 1, 0.49):
        assert len(fold.train) == 3
