from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.core.errors import UserError
from notedecay.data import pitch

keys = st.integers(pitch.LOWEST, pitch.HIGHEST)


@given(keys)
def test_names_and_frequencies_lead_back(midi: int) -> None:
    assert pitch.parse(pitch.name(midi)) == midi
    assert pitch.hz(midi + 12) == pytest.approx(2 * pitch.hz(midi))


@given(st.sampled_from("CDEFGA"), st.integers(0, 8))
def test_a_sharp_is_a_key_up_however_it_is_written(letter: str, octave: int) -> None:
    plain = pitch.parse(f"{letter}{octave}")
    assert pitch.parse(f"{letter}#{octave}") == pitch.parse(f"{letter}s{octave}") == plain + 1
    assert pitch.parse(f"{letter.lower()}{octave}") == plain


@given(st.text(max_size=6).filter(lambda text: not any(c in "0123456789" for c in text)))
def test_text_without_an_octave_is_no_pitch(text: str) -> None:
    with pytest.raises(UserError, match="is no pitch"):
        pitch.parse(text)


def test_known_pitches() -> None:
    assert [pitch.parse(p) for p in ("A0", "C4", "Bb3", "Cs4", "F#3", "C8")] == [
        21, 60, 58, 61, 54, 108,
    ]  # fmt: skip
    assert pitch.hz(69) == 440.0
    assert pitch.hz(21) == pytest.approx(27.5)
    assert pitch.name(58) == "Bb3"
