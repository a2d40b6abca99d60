"""Ids of notes: safe in every store, and one for each note."""

from __future__ import annotations

import re
from pathlib import PurePosixPath as P

from hypothesis import given
from hypothesis import strategies as st

from notedecay.data import names, pitch
from notedecay.data.takes import MAX_LENGTH, note_ids, slug

SAFE = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
"""What MLflow takes as the key of an image, and any file system as a name."""


def ids(*paths: str) -> list[str]:
    found = note_ids({P(path): names.parse(P(path).stem) for path in paths})
    return [id_ for path in paths for id_ in found[P(path)]]


def test_published_sets_keep_the_ids_that_they_have() -> None:
    assert ids("piano/iowa-ff/Piano.ff.C4.flac", "guitar/steel/Cs3.wav") == [
        "piano/ff/C4", "guitar/steel/Db3",
    ]  # fmt: skip
    assert ids("cello/iowa/Cello.pizz.ff.sulC.C2.stereo.aif") == ["cello/pizz-ff-sulC/C2"]
    assert ids("guitar/iowa/Guitar.ff.sulG.C5Db5.aif") == [
        "guitar/ff-sulG/C5", "guitar/ff-sulG/Db5",
    ]  # fmt: skip


def test_takes_of_one_pitch_are_told_apart_by_the_words_that_differ() -> None:
    assert ids("b/own/C3_v1.wav", "b/own/C3_v2.wav", "b/own/D3_v1.wav") == [
        "b/v1/C3", "b/v2/C3", "b/v1/D3",
    ]  # fmt: skip
    assert ids("b/own/A2_very-long_piano.wav", "b/own/A2_very-long_forte.wav") == [
        "b/piano/A2", "b/forte/A2",
    ]  # fmt: skip
    assert ids("b/own/C3.L.wav", "b/own/C3.R.wav") == ["b/L/C3", "b/R/C3"]
    assert ids("b/own/C4.wav", "b/own/C4 (1).wav") == ["b/own/C4", "b/1/C4"]
    assert ids("b/own/C3_ff_v1.wav", "b/own/C3_ff_v2.wav") == ["b/ff-v1/C3", "b/ff-v2/C3"]


marks = st.sampled_from(["v", "V", "_v", " v", "-vel", " layer ", "_rr", "-take", " take ", "_t"])


@given(st.sets(st.tuples(st.integers(40, 80), st.integers(1, 120)), min_size=2, max_size=30), marks)
def test_a_take_keeps_its_id_whatever_other_takes_come(
    notes: set[tuple[int, int]], mark: str
) -> None:
    """So that a trained model, and the scores of its notes, stay comparable."""
    paths = [f"b/own/{pitch.name(midi)}{mark}{take:03}.wav" for midi, take in sorted(notes)]
    every = ids(*paths)
    assert len(set(every)) == len(notes)
    assert [ids(path)[0] for path in paths] == every
    word = mark.strip(" _-").lower()
    assert every == [f"b/{word}{take:03}/{pitch.name(midi)}" for midi, take in sorted(notes)]


def test_where_the_words_are_the_same_folders_tell_apart_and_then_a_number() -> None:
    assert ids("b/mine/C3_ff.wav", "b/yours/C3_ff.wav") == ["b/mine-ff/C3", "b/yours-ff/C3"]
    assert ids("b/own/near/C3.wav", "b/own/far/C3.wav") == ["b/own-near/C3", "b/own-far/C3"]
    assert ids("b/own/C3.flac", "b/own/C3.wav") == ["b/own/C3", "b/own-2/C3"]
    assert ids("b/own (1)/C3.wav", "b/own [1]/C3.wav") == ["b/own-1/C3", "b/own-1-2/C3"]


def test_a_collision_changes_no_other_folder() -> None:
    assert ids("b/a/C3_x.wav", "b/a/C3_y.wav", "b/z/E3_x.wav")[2] == "b/z/E3"


def test_a_slug_keeps_what_can_be_kept() -> None:
    assert slug("[a] b's (1) #é") == "a-b-s-1-e"
    assert slug("Übungen, türkische") == "Ubungen-turkische"
    assert slug(".hidden") == "hidden"
    assert slug("日本") != slug("中国")
    assert slug("a\nb\udcff") == "a-b"


words = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=30).filter(
    lambda word: word not in {".", ".."}
)
pitches = st.sampled_from(["C4", "D#4", "A0v1", "C5Db5", ""])


@given(st.sets(st.tuples(words, words, pitches), min_size=1, max_size=12))
def test_any_names_give_safe_ids_that_differ(files: set[tuple[str, str, str]]) -> None:
    paths = {P(f"b/{folder}/{word} {pitch}.wav") for folder, word, pitch in files}
    named = {path: names.parse(path.stem) for path in paths}
    found = note_ids(named)
    every = [id_ for some in found.values() for id_ in some]
    assert len({id_.lower() for id_ in every}) == len(every)
    for id_ in every:
        assert SAFE.fullmatch(id_)
        assert len(id_.encode()) <= 3 * MAX_LENGTH
    for path, said in named.items():
        assert len(found[path]) == (len(said.pitches) if said else 1)
    assert note_ids(dict(reversed(named.items()))) == found
