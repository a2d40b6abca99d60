from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.data import names, pitch
from notedecay.data.names import Named

PUBLISHED = {
    "Piano.ff.C4": Named((60,), "ff"),
    "Cs4": Named((61,)),
    "Guitar.ff.sulG.C5Db5": Named((72, 73), "ff", "sulG"),
    "Guitar.pp.sul_E.E4G4": Named((64, 65, 66, 67), "pp", "sul_E"),
    "Cello.pizz.ff.sulC.C2.stereo": Named((36,), "ff", "sulC", "pizz"),
    "Flute.nonvib.ff.C4.stereo": Named((60,), "ff", None, "nonvib"),
    "my_guitar_C4_ff": Named((60,), "ff"),
    "take 2 - F#3": Named((54,), repetition="take2"),
    "C4.C4": Named((60,)),
}
FROM_LIBRARIES = {
    "C4 (1)": (60, ("1",)),
    "C3.L": (48, ("L",)),
    "C3R": (48, ("R",)),
    "F♯3 \u2013 Kopie": (54, ("Kopie",)),
    "B♭3": (58, ()),
    "F-sharp-3": (54, ()),
    "guitar_A2_very-long_piano_normal": (45, ("guitar", "very", "long", "piano", "normal")),
    "banjo_As3_025_forte_normal": (58, ("banjo", "025", "forte", "normal")),
    "KSHarp_A4_mf1": (69, ("KSHarp", "mf1")),
    "HarpA4": (69, ("Harp",)),
    "060": (60, ()),
    "guitar_acoustic_010-060-075": (60, ("guitar", "acoustic", "010", "075")),
    "[old] b's C4 #2 é": (60, ("old", "b", "s", "#2", "é")),
}
TAKES = {
    "A0v1": (21, "v1"),
    "D#4v12": (63, "v12"),
    "C4_v001": (60, "v001"),
    "C4 v2": (60, "v2"),
    "C4 V2": (60, "v2"),
    "C4_vel100": (60, "vel100"),
    "C4 velocity 64": (60, "velocity64"),
    "C4_rr1": (60, "rr1"),
    "C4rr1": (60, "rr1"),
    "C4_RR_01": (60, "rr01"),
    "C4-take2": (60, "take2"),
    "C4 (take 2)": (60, "take2"),
    "C4_t3": (60, "t3"),
    "midi60-rr2": (60, "rr2"),
    "060v12": (60, "v12"),
    "Bb3_ff_v2_rr10": (58, "ff-v2-rr10"),
    "v1 C4 v2": (60, "v1"),
    "harp_C4_vt2": (60, None),
    "C4_v1000": (60, None),
}
AMBIGUOUS = {
    "A1_C4": (33, 60),
    "C4_D4": (60, 62),
    "piano-60-100": (60, 100),
    "C5Db5_C4": (72, 60),
}


@pytest.mark.parametrize(("stem", "midi", "rest"), [(k, *v) for k, v in FROM_LIBRARIES.items()])
def test_names_of_sample_libraries(stem: str, midi: int, rest: tuple[str, ...]) -> None:
    named = names.parse(stem)
    assert named is not None
    assert named.pitches == (midi,)
    assert named.rest == rest


@pytest.mark.parametrize(("stem", "midi", "take"), [(k, *v) for k, v in TAKES.items()])
def test_marks_of_takes(stem: str, midi: int, take: str | None) -> None:
    named = names.parse(stem)
    assert named is not None
    assert (named.pitches, named.take) == ((midi,), take)


@pytest.mark.parametrize(("stem", "first"), AMBIGUOUS.items())
def test_a_name_with_several_pitches_is_read_in_each_way(stem: str, first: tuple[int, ...]) -> None:
    assert tuple(named.pitches[0] for named in names.readings(stem)) == first
    assert names.parse(stem) is None


def test_a_letter_counts_more_than_a_number_and_a_velocity_is_none() -> None:
    assert names.parse("060_C4_100").pitches == (60,)
    assert names.parse("C4ff") == Named((60,), "ff")


@pytest.mark.parametrize(("stem", "named"), PUBLISHED.items())
def test_published_names(stem: str, named: Named) -> None:
    assert names.parse(stem) == named


def test_takes() -> None:
    takes = {stem: named.take for stem, named in PUBLISHED.items()}
    assert takes["Piano.ff.C4"] == "ff"
    assert takes["Cs4"] is None
    assert takes["Guitar.ff.sulG.C5Db5"] == "ff-sulG"
    assert takes["Cello.pizz.ff.sulC.C2.stereo"] == "pizz-ff-sulC"


@pytest.mark.parametrize(
    "stem", ["", "README", "C5C4", "H4", "sulA", "G9B9", "take 2", "2016", "007"]
)
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


@given(
    st.integers(12, 119),
    st.sampled_from(["v", "V", "vel", "velocity ", "layer-"]),
    st.sampled_from(["t", "rr", "RR_", "rep", "take ", "Take-"]),
    st.integers(0, 999),
    st.integers(0, 999),
    st.sampled_from([".", "_", "-", " "]),
    st.booleans(),
)
def test_layers_and_repetitions_come_out_of_any_spelling(
    midi: int, layer: str, repetition: str, first: int, second: int, mark: str, turned: bool
) -> None:
    words = [pitch.name(midi), f"{layer}{first}", f"{repetition}{second}"]
    named = names.parse(mark.join(words[::-1] if turned else words))
    assert named is not None
    assert named.pitches == (midi,)
    assert named.velocity == f"{layer.strip(' -').lower()}{first}"
    assert named.repetition == f"{repetition.strip(' _-').lower()}{second}"


@given(st.text(max_size=30))
def test_any_name_is_read_or_left(stem: str) -> None:
    for named in names.readings(stem):
        assert named.pitches
        assert all(0 <= midi <= 127 for midi in named.pitches)
