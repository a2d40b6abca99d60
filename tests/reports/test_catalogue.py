"""The table of notes shows the recordings that are there now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from notedecay.core.config import load_params
from notedecay.core.project import Project
from notedecay.data import catalogue
from notedecay.reports.catalogue import show_notes
from tests import toy


def rename(folder: Path) -> None:
    (folder / "C4.wav").rename(folder / "C4_ff.wav")


def delete(folder: Path) -> None:
    (folder / "C4.wav").unlink()


def move_in(folder: Path) -> None:
    (folder / "C4.wav").rename(folder.parent / "B3.wav")
    (folder.parent / "new").mkdir()
    (folder.parent / "B3.wav").rename(folder.parent / "new" / "C4.wav")


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        (Path.exists, {"bells/own/C4", "bells/own/Db4"}),
        (rename, {"bells/ff/C4", "bells/own/Db4"}),
        (delete, {"bells/own/Db4"}),
        (move_in, {"bells/new/C4", "bells/own/Db4"}),
    ],
)
def test_files_without_a_new_date_are_shown_as_they_are(
    tmp_path: Path, change: Callable[[Path], object], ids: set[str]
) -> None:
    project = Project(tmp_path)
    toy.write_params(tmp_path, {"seed": 5, "instruments": {"bells": toy.INSTRUMENT}})
    folder = project.data / "bells" / "own"
    toy.make_notes(folder, range(60, 62))
    notes = catalogue.build(project.data, "bells", highpass_hz=25.0)
    catalogue.write(notes, project.results("bells") / "catalogue.json")
    change(folder)
    assert {word for word in shown(project).split() if word.startswith("bells/")} == ids


def shown(project: Project) -> str:
    console = Console(width=120, record=True)
    show_notes(project, load_params(project.params), "bells", None, console, Console(quiet=True))
    return console.export_text()


@pytest.fixture
def prepared(tmp_path: Path) -> Project:
    """Two bells, and their catalogue, in which C4 has a fault that it does not have."""
    project = Project(tmp_path)
    toy.write_params(tmp_path, {"seed": 5, "instruments": {"bells": toy.INSTRUMENT}})
    toy.make_notes(project.data / "bells" / "own", range(60, 62))
    first, second = catalogue.build(project.data, "bells", highpass_hz=25.0)
    written = [replace(first, flags=("as the catalogue says",)), second]
    catalogue.write(written, project.results("bells") / "catalogue.json")
    return project


def test_the_catalogue_of_the_same_files_is_read_whatever_their_dates(prepared: Project) -> None:
    for path in (prepared.data / "bells" / "own").iterdir():
        os.utime(path, (4e9, 4e9))
    assert "as the catalogue says" in shown(prepared)


def test_a_file_with_other_contents_is_measured_again(prepared: Project) -> None:
    own = prepared.data / "bells" / "own"
    (own / "C4.wav").write_bytes((own / "Db4.wav").read_bytes())
    for path in own.iterdir():
        os.utime(path, (1, 1))
    assert "as the catalogue says" not in shown(prepared)
    assert "mistuned" in shown(prepared)


def test_takes_are_counted(tmp_path: Path) -> None:
    project = Project(tmp_path)
    toy.write_params(tmp_path, {"seed": 5, "instruments": {"bells": toy.INSTRUMENT}})
    own = project.data / "bells" / "own"
    toy.make_notes(own, range(60, 62))
    (own / "C4.wav").rename(own / "C4_v001.wav")
    shutil.copy(own / "C4_v001.wav", own / "C4_v002.wav")
    assert (
        shown(project).splitlines()[-1] == "3 notes of 2 pitches (1 to 2 takes each), 0 set aside"
    )
    shutil.copy(own / "Db4.wav", own / "Db4 rr2.wav")
    text = shown(project)
    assert text.splitlines()[-1] == "4 notes of 2 pitches (2 takes each), 0 set aside"
    ids = {word for word in text.split() if word.startswith("bells/")}
    assert ids == {"bells/v001/C4", "bells/v002/C4", "bells/own/Db4", "bells/rr2/Db4"}


def test_a_list_of_notes_waits_for_no_mathematics() -> None:
    code = (
        "import sys, notedecay.reports.catalogue; "
        "print({'scipy.signal', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout == "set()\n"
