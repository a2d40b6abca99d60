"""A name with several pitches: the sound decides, or both are named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notedecay.data import catalogue
from notedecay.data.names import Named
from notedecay.data.reading import NO_PITCH, read_name
from tests.recordings import put


@pytest.mark.parametrize(
    ("stem", "midi"), [("A1_C4", 60), ("A1_C4", 33), ("a1-D#4v12", 63), ("piano-60-100", 60)]
)
def test_the_sound_says_which_pitch_is_meant(tmp_path: Path, stem: str, midi: int) -> None:
    named = read_name(put(tmp_path / f"{stem}.wav", midi), 25.0)
    assert isinstance(named, Named)
    assert named.pitches == (midi,)


@pytest.mark.parametrize(
    ("stem", "midi", "fits"),
    [("A1_C4", 66, "fits none"), ("C3C4_C4", 60, "fits more than one")],
)
def test_where_the_sound_does_not_decide_both_are_named(
    tmp_path: Path, stem: str, midi: int, fits: str
) -> None:
    reason = read_name(put(tmp_path / f"{stem}.wav", midi), 25.0)
    assert isinstance(reason, str)
    assert fits in reason
    assert "C4" in reason
    assert ("A1" if "A1" in stem else "C3C4") in reason


def test_a_name_alone_needs_no_sound(tmp_path: Path) -> None:
    assert read_name(tmp_path / "C4.wav", 25.0) == Named((60,))
    assert read_name(tmp_path / "tuning.wav", 25.0) == NO_PITCH


def test_a_real_cello_with_another_pitch_in_its_name(real_data: Path, tmp_path: Path) -> None:
    recording = next((real_data / "iowa" / "cello").glob("*.C3.*"))
    for other in ("G2", "Db3", "E4"):
        path = tmp_path / f"take_{other}_C3{recording.suffix}"
        shutil.copyfile(recording, path)
        assert read_name(path, 25.0) == Named((48,))


def test_the_catalogue_holds_the_chosen_pitch_and_the_reason(tmp_path: Path) -> None:
    put(tmp_path / "harp" / "own" / "A1_C4.wav", 60)
    put(tmp_path / "harp" / "own" / "A1_E4.wav", 66)
    notes = {note.file: note for note in catalogue.build(tmp_path, "harp", highpass_hz=25)}
    assert notes["harp/own/A1_C4.wav"].id == "harp/own/C4"
    (reason,) = notes["harp/own/A1_E4.wav"].flags
    assert "A1 and E4" in reason
