from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.notes import names, pitch
from notedecay.notes.names import Named

PUBLISHED = {
    "Piano.ff.C4": Named((60,), "ff"),
    "Cs4": Named((61,)),
    "Guitar.ff.sulG.C5Db5": Named((72, 73), "ff", "sulG"),
    "Guitar.pp.sul_E.E4G4": Named((64, 65, 66, 67), "pp", "sul_E"),
    "Cello.pizz.ff.sulC.C2.stereo": Named((36,), "ff", "sulC", "pizz"),
    "Flute.nonvib.ff.C4.stereo": Named((60,), "ff", None, "nonvib"),
    "my_guitar_C4_ff": Named((60,), "ff"),
    "take 2 - F#3": Named((54,)),
}


@pytest.mark.parametrize(("stem", "named"), PUBLISHED.items())
def test_published_names(stem: str, named: Named) -> None:
    assert names.parse(stem) == named


def test_takes() -> None:
    takes = {stem: named.take for stem, named in PUBLISHED.items()}
    assert takes["Piano.ff.C4"] == "ff"
    assert takes["Cs4"] is None
    assert takes["Guitar.ff.sulG.C5Db5"] == "ff-sulG"
    assert takes["Cello.pizz.ff.sulC.C2.stereo"] == "pizz-ff-sulC"


@pytest.mark.parametrize("stem", ["", "README", "C4_D4", "C5C4", "H4", "sulA", "C4.C4", "G9B9"])
def test_what_cannot_be_understood_is_none(stem: str) -> None:
    assert names.parse(stem) is None


@given(
    st.integers(12, 119),
    st.integers(0, 8),
    st.sampled_from([None, "pp", "mf", "ff"]),
    st.sampled_from([None, "sulA", "sul_E"]),
    st.sampled_from([".", "_", "-", " "]),
)
def test_what_was_put_into_a_name_comes_out(
    low: int, more: int, dynamic: str | None, string: str | None, mark: str
) -> None:
    high = "" if more == 0 else pitch.name(low + more)
    words = ["Guitar", dynamic, string, pitch.name(low) + high]
    named = names.parse(mark.join(filter(None, words)))
    assert named == Named(tuple(range(low, low + more + 1)), dynamic, string)


@given(st.text(max_size=30))
def test_any_name_is_read_or_left(stem: str) -> None:
    named = names.parse(stem)
    assert named is None or named.pitches
