"""What is set aside is said in few lines: by reason, and a wrong octave once for a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.data import catalogue, pitch, split
from notedecay.data.set_aside import reasons, wrong_octaves
from tests.recordings import put


@pytest.mark.parametrize(
    ("shift", "said"),
    [(12, "sound an octave below their names"), (-12, "sound an octave above their names")],
)
def test_a_folder_named_in_another_octave_is_said_once(
    tmp_path: Path, shift: int, said: str
) -> None:
    for midi in range(48, 56):
        put(tmp_path / "harp" / "own" / f"{pitch.name(midi + shift)}.wav", midi)
        put(tmp_path / "harp" / "right" / f"take2_{pitch.name(midi)}_ff.wav", midi)
    notes = catalogue.build(tmp_path, "harp", highpass_hz=25)
    (line,) = wrong_octaves(notes)
    assert said in line
    assert "harp/own: 8 of 8 notes" in line
    assert f"({pitch.name(48 + shift)} to C3 and so on)" in line
    assert reasons(notes) == "8 mistuned"


def test_one_note_in_the_wrong_octave_is_no_matter_of_the_folder(tmp_path: Path) -> None:
    for midi in range(48, 56):
        put(tmp_path / "harp" / "own" / f"{pitch.name(midi + 12 * (midi == 50))}.wav", midi)
    notes = catalogue.build(tmp_path, "harp", highpass_hz=25)
    assert [note.id for note in notes if note.flags] == ["harp/own/D4"]
    assert wrong_octaves(notes) == []


def test_too_few_notes_are_said_with_the_reasons(tmp_path: Path) -> None:
    for midi in range(48, 56):
        put(tmp_path / "harp" / "own" / f"{pitch.name(midi - 12)}.wav", midi)
    put(tmp_path / "harp" / "own" / "G5.wav", 79, seconds=0.4)
    notes = catalogue.build(tmp_path, "harp", highpass_hz=25)
    with pytest.raises(UserError) as caught:
        split.split(notes, validation=0.15, test=0.15, seed=1)
    line = str(caught.value)
    assert "9 of 9 notes are set aside: 8 mistuned, 1 too short" in line
    assert "rename them where they come from (C2 to C3" in line


@pytest.mark.parametrize("octave", [1, -1])
def test_real_cello_notes_named_in_another_octave(
    real_data: Path, tmp_path: Path, octave: int
) -> None:
    folder = tmp_path / "cello" / "own"
    folder.mkdir(parents=True)
    for name in ("C2", "D2", "E2", "F2", "G2", "A2"):
        path = next((real_data / "iowa" / "cello").glob(f"*.{name}.*"))
        shutil.copyfile(path, folder / f"{name[0]}{int(name[1]) + octave}{path.suffix}")
    notes = catalogue.build(tmp_path, "cello", highpass_hz=25)
    assert all("mistuned" in note.flags[0] for note in notes)
    (line,) = wrong_octaves(notes)
    assert f"of 6 notes sound an octave {'below' if octave == 1 else 'above'}" in line


def test_real_notes_that_are_rightly_named_are_in_no_wrong_octave(
    real_data: Path, tmp_path: Path
) -> None:
    for name in ("cello", "guitar"):
        folder = tmp_path / name / "iowa"
        folder.mkdir(parents=True)
        for path in sorted((real_data / "iowa" / name).glob("*"))[::4]:
            shutil.copyfile(path, folder / path.name)
        notes = catalogue.build(tmp_path, name, highpass_hz=40)
        assert not [note.id for note in notes if any("octave" in flag for flag in note.flags)]
