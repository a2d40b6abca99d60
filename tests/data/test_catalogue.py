from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.reading import NO_PITCH
from tests.recordings import RATE, put


def test_ids_places_and_origins(data_dir: Path) -> None:
    notes = {note.id: note for note in catalogue.build(data_dir, "guitar", highpass_hz=40)}
    assert len(notes) == 25
    steel, mine = notes["guitar/steel/Db3"], notes["guitar/ff/Db3"]
    assert (steel.file, steel.pitch, steel.rate) == ("guitar/steel/Db3.wav", 49, RATE)
    assert (steel.source, steel.licence) == ("somewhere 1.0", "CC BY 3.0")
    assert (mine.source, mine.dynamic, mine.licence) == ("your own", "ff", "your own")
    assert steel.t40 == pytest.approx(1.0, abs=0.15)
    assert steel.flags == ()
    assert notes["guitar/ff/D3"].flags == ("mistuned (+90 cents from D3)",)
    assert notes["guitar/mine/noodling"].flags == (NO_PITCH,)


def test_the_same_folder_gives_the_same_catalogue_in_the_same_order(
    data_dir: Path, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    notes = catalogue.build(
        data_dir, "guitar", highpass_hz=40, progress=lambda done, of: steps.append((done, of))
    )
    assert steps[-1] == (25, 25)
    assert [note.id for note in notes[:2]] == ["guitar/ff/C3", "guitar/ff/Db3"]
    catalogue.write(notes, tmp_path / "deep" / "notes.json")
    first = (tmp_path / "deep" / "notes.json").read_bytes()
    assert catalogue.read(tmp_path / "deep" / "notes.json") == notes
    catalogue.write(catalogue.build(data_dir, "guitar", highpass_hz=40), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == first


def test_two_takes_of_one_pitch_have_two_ids(data_dir: Path) -> None:
    put(data_dir / "guitar" / "yours" / "C3_ff.wav", 48)
    notes = catalogue.build(data_dir, "guitar", highpass_hz=40)
    takes = {note.file: note.id for note in notes if note.pitch == 48}
    assert takes["guitar/yours/C3_ff.wav"] == "guitar/yours-ff/C3"
    assert takes["guitar/mine/my_C3_ff.wav"] == "guitar/mine-ff/C3"
    assert takes["guitar/steel/C3.wav"] == "guitar/steel/C3"


@pytest.mark.parametrize("name", ["C3\n.wav", "C3\x85.wav", "C3\udcff.wav", "C3\u2028.wav"])
def test_a_name_that_no_list_can_hold_is_named_escaped(data_dir: Path, name: str) -> None:
    put(data_dir / "guitar" / "steel" / name, 48)
    with pytest.raises(UserError) as caught:
        catalogue.build(data_dir, "guitar", highpass_hz=40)
    assert ascii(name)[1:-1] in str(caught.value)
    assert str(caught.value).isascii()


def test_a_damaged_recording_is_named(data_dir: Path) -> None:
    path = data_dir / "guitar" / "steel" / "E3.wav"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"E3\.wav is truncated"):
        catalogue.build(data_dir, "guitar", highpass_hz=40)


def test_a_run_that_does_not_hold_its_notes_is_named(data_dir: Path) -> None:
    put(data_dir / "guitar" / "steel" / "Guitar.mf.C4A4.wav", 60)
    with pytest.raises(UserError, match=r"C4A4\.wav: \d+ attacks where the name lists 10"):
        catalogue.build(data_dir, "guitar", highpass_hz=40)


def test_what_is_no_source_is_told(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no recordings in .*harp.*notedecay fetch"):
        catalogue.build(data_dir, "harp", highpass_hz=40)
    put(data_dir / "guitar" / "C4.wav", 60)
    with pytest.raises(UserError, match=r"guitar/C4\.wav: put it into a folder"):
        catalogue.build(data_dir, "guitar", highpass_hz=40)
    (tmp_path / "bad.json").write_text('[{"id": 1}]')
    for name, words in {"none.json": "no such catalogue", "bad.json": "is not a catalogue"}.items():
        with pytest.raises(UserError, match=words):
            catalogue.read(tmp_path / name)


def test_hidden_files_are_passed_over(data_dir: Path) -> None:
    (data_dir / "guitar" / "steel" / "._C3.wav").write_bytes(b"resource fork")
    (data_dir / "guitar" / "__MACOSX").mkdir()
    (data_dir / "guitar" / "__MACOSX" / "C3.wav").write_bytes(b"resource fork")
    assert len(catalogue.recordings(data_dir, "guitar")) == 25


def test_real_recordings_all_land_in_the_catalogue(real_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cello" / "iowa"
    folder.mkdir(parents=True)
    for path in sorted((real_data / "iowa" / "cello").glob("*sulD*")):
        (folder / path.name).write_bytes(path.read_bytes())
    notes = catalogue.build(tmp_path, "cello", highpass_hz=40)
    assert len(notes) == len(list(folder.iterdir()))
    assert notes[0].id == "cello/pizz-ff-sulD/D3"
    assert not [note.flags for note in notes if note.flags]
    assert all(note.t40 is not None and 0.2 < note.t40 < 4 for note in notes)
