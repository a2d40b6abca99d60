"""A folder of own recordings: all is checked before anything is copied."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from notedecay import audio
from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.sources import records
from notedecay.data.sources.folder import check_instrument, import_folder
from notedecay.data.sources.records import SourceRecord
from tests import toy
from tests.recordings import RATE, put


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_own_recordings_are_taken_in_and_the_rest_is_named(tmp_path: Path) -> None:
    own = tmp_path / "my harp"
    put(own / "C4.wav", 60)
    put(own / "loud" / "harp_E4_ff.wav", 64)
    put(own / "tuning.wav", 60)
    put(own / "A1_E4.wav", 66)
    put(own / "harp_C4C5.wav", 60)
    (own / "D4.wav").write_text("not audio")
    (own / "notes.txt").write_text("recorded in June")
    imported = import_folder(own, "harp", tmp_path / "data")
    assert (imported.added, imported.known) == (2, 0)
    assert len(imported.left_out) == 5
    for name, reason in {
        "D4.wav": "is not audio",
        "notes.txt": "1 file of other kinds than recordings",
        "tuning.wav": "no pitch in its name",
        "A1_E4.wav": "several pitches in its name, A1 and E4",
        "harp_C4C5.wav": "attacks where the name lists 13",
    }.items():
        assert any(name in line and reason in line for line in imported.left_out)
    notes = catalogue.build(tmp_path / "data", "harp", highpass_hz=40)
    assert [(n.id, n.source) for n in notes] == [
        ("harp/ff/E4", "your own"),
        ("harp/my-harp/C4", "your own"),
    ]


def test_what_cannot_be_taken_in(tmp_path: Path) -> None:
    own, data = tmp_path / "own", tmp_path / "data"
    with pytest.raises(UserError, match="no such folder"):
        import_folder(own, "harp", data)
    put(own / "tuning.wav", 60)
    with pytest.raises(UserError, match=r"holds no recording named by its pitch.*tuning\.wav"):
        import_folder(own, "harp", data)
    put(own / "C4.wav", 60)
    put(tmp_path / ".hidden" / "C4.wav", 60)
    with pytest.raises(UserError, match="does not begin with a dot"):
        import_folder(tmp_path / ".hidden", "harp", data)
    put(data / "harp" / "x" / "C4.wav", 60)
    with pytest.raises(UserError, match=r"lies in .* already"):
        import_folder(data / "harp" / "x", "harp", data)
    with pytest.raises(UserError, match=r"holds .* itself"):
        import_folder(tmp_path, "harp", data)
    (data / "harp" / "own").mkdir()
    records.write(SourceRecord("somewhere", "1", "free", "someone"), data / "harp" / "own")
    with pytest.raises(UserError, match="recordings that were fetched"):
        import_folder(own, "harp", data)
    assert files(data) == {"harp/x/C4.wav", "harp/own/source.json"}


def test_a_second_fetch_adds_what_is_new_and_overwrites_nothing(tmp_path: Path) -> None:
    own, data = tmp_path / "own", tmp_path / "data"
    put(own / "C4.wav", 60)
    assert import_folder(own, "harp", data).added == 1
    put(own / "D4.wav", 62)
    put(own / "deep" / "E4.wav", 64)
    imported = import_folder(own, "harp", data)
    assert (imported.added, imported.known, imported.left_out) == (2, 1, [])
    assert files(data / "harp" / "own") == {"C4.wav", "D4.wav", "deep/E4.wav"}
    first = (data / "harp" / "own" / "C4.wav").read_bytes()
    put(own / "C4.wav", 60, seconds=1.2)
    imported = import_folder(own, "harp", data)
    assert (imported.added, imported.known) == (0, 2)
    assert "C4.wav: differs from" in imported.left_out[0]
    assert (data / "harp" / "own" / "C4.wav").read_bytes() == first


def test_what_was_renamed_or_deleted_since_the_last_fetch_is_said(tmp_path: Path) -> None:
    own, data = tmp_path / "own", tmp_path / "data"
    for midi, name in ((60, "C4"), (62, "D4"), (64, "x/E4"), (65, "F4")):
        put(own / f"{name}.wav", midi)
    assert import_folder(own, "harp", data).kept == []
    (own / "C4.wav").rename(own / "C4_ff.wav")
    (own / "D4.wav").unlink()
    (own / "x/E4.wav").rename(own / "E4.wav")
    imported = import_folder(own, "harp", data)
    assert (imported.added, imported.known) == (2, 1)
    target = data / "harp" / "own"
    assert imported.kept == [
        f"C4.wav, D4.wav, x/E4.wav: not in {own} (any more); delete what is not meant from {target}"
    ]
    for name in ("C4.wav", "D4.wav", "x/E4.wav"):
        (target / name).unlink()
    assert import_folder(own, "harp", data).kept == []


@pytest.mark.parametrize(
    "stems",
    [
        ("C3_v1", "C3_v2"),
        ("A2_very-long_piano", "A2_very-long_forte"),
        ("C4", "C4 (1)"),
        ("C3.L", "C3.R"),
        ("A0v1", "A0v2"),
        ("060", "midi60"),
        ("guitar_010-060-075", "guitar_010-060-100"),
        ("x/C4", "y/C4"),
    ],
)
def test_takes_that_fetch_accepts_the_catalogue_accepts(
    tmp_path: Path, stems: tuple[str, str]
) -> None:
    midi = {"C3": 48, "A2": 45, "A0": 21}.get(stems[0][:2], 60)
    for stem in stems:
        put(tmp_path / "own" / f"{stem}.wav", midi)
    assert import_folder(tmp_path / "own", "harp", tmp_path / "data").added == 2
    notes = catalogue.build(tmp_path / "data", "harp", highpass_hz=25)
    assert [note.pitch for note in notes] == [midi, midi]
    assert len({note.id for note in notes}) == 2


@pytest.mark.parametrize(
    "name", ["[old] banjo", "banjo (1)", "Tom's banjo", "Übungen", "a;b & $c", "#1", "日本", "-x"]
)
def test_any_folder_s_name_will_do(tmp_path: Path, name: str) -> None:
    put(tmp_path / name / "C4 é [x].wav", 60)
    imported = import_folder(tmp_path / name, "banjo", tmp_path / "data")
    assert imported.folder == tmp_path / "data" / "banjo" / name
    (note,) = catalogue.build(tmp_path / "data", "banjo", highpass_hz=25)
    assert note.id.isascii()
    assert (tmp_path / "data" / note.file).is_file()


@pytest.mark.parametrize("name", ["C4\n.wav", "C4\x85.wav", "C4\udcff.wav", "C\u20284.wav"])
def test_names_that_no_list_can_hold_are_left_out_escaped(tmp_path: Path, name: str) -> None:
    own = tmp_path / "own"
    put(own / "D4.wav", 62)
    put(own / name, 60)
    imported = import_folder(own, "harp", tmp_path / "data")
    assert imported.added == 1
    (line,) = imported.left_out
    assert ascii(name)[1:-1] in line
    assert "\n" not in line
    assert line.isascii()
    bad = tmp_path / f"own{name[1:-4]}"
    own.rename(bad)
    with pytest.raises(UserError, match="rename it"):
        import_folder(bad, "harp", tmp_path / "data")


def test_hidden_files_and_what_a_mac_packs_are_passed_over(tmp_path: Path) -> None:
    own = tmp_path / "own"
    put(own / "C4.wav", 60)
    for name in ("._C4.wav", ".trash/D4.wav", "__MACOSX/E4.wav"):
        put(own / name, 60)
    imported = import_folder(own, "harp", tmp_path / "data")
    assert (imported.added, imported.left_out) == (1, [])
    assert files(tmp_path / "data") == {"harp/own/C4.wav"}


@pytest.mark.parametrize("suffix", sorted(audio.SUFFIXES))
def test_what_generate_reads_fetch_takes_in(tmp_path: Path, suffix: str) -> None:
    own = tmp_path / "own"
    put(own / "D4.wav", 62)
    (own / f"C4{suffix.upper()}").write_bytes((own / "D4.wav").read_bytes())
    assert import_folder(own, "harp", tmp_path / "data").added == 2


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("türkische-oud", "turkische-oud"), ("../harp", "harp"), ("a b", "a-b"), ("-x", "x"),
        ("x" * 61, "x"), ("a\n", "a"), ("oud.", "oud"), ("_oud!", "_oud"), ("x" * 59 + "!y", "x"),
        ("", "banjo"), ("二胡", "banjo"), ("-", "banjo"), ("\udcff", "banjo"),
    ],
)  # fmt: skip
def test_one_rule_for_the_names_of_instruments(tmp_path: Path, name: str, hint: str) -> None:
    put(tmp_path / "own" / "C4.wav", 60)
    with pytest.raises(UserError, match="cannot name an instrument") as caught:
        import_folder(tmp_path / "own", name, tmp_path / "data")
    assert f"such as '{hint}" in str(caught.value)
    check_instrument(str(caught.value).split("'")[-2])
    Params.model_validate({"seed": 1, "defaults": toy.INSTRUMENT, "instruments": {"oud": {}}})
    with pytest.raises(ValueError, match="instruments"):
        Params.model_validate({"seed": 1, "defaults": toy.INSTRUMENT, "instruments": {name: {}}})


def test_a_disk_that_is_full_leaves_nothing_half_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for midi, stem in ((60, "C4"), (62, "D4")):
        put(tmp_path / "own" / f"{stem}.wav", midi)

    def full(source: Path, target: Path) -> None:
        if Path(source).stem == "D4":
            raise OSError(28, "No space left on device")
        os.link(source, target)

    monkeypatch.setattr("notedecay.data.sources.folder.shutil.copyfile", full)
    with pytest.raises(UserError, match="No space left"):
        import_folder(tmp_path / "own", "harp", tmp_path / "data")
    assert files(tmp_path / "data") == set()


def test_channels_are_copied_as_they_are(tmp_path: Path) -> None:
    left = audio.read(put(tmp_path / "own" / "C4.wav", 60)).samples[0]
    soundfile.write(tmp_path / "own" / "D4.wav", np.stack([left, 0.5 * left], axis=1), RATE)
    import_folder(tmp_path / "own", "harp", tmp_path / "data")
    copied = tmp_path / "data" / "harp" / "own" / "D4.wav"
    assert copied.read_bytes() == (tmp_path / "own" / "D4.wav").read_bytes()
