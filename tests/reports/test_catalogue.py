"""The table of notes shows the recordings that are there now."""

from __future__ import annotations

from collections.abc import Callable
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
    console = Console(width=120, record=True)
    show_notes(project, load_params(project.params), "bells", None, console, Console(quiet=True))
    assert {word for word in console.export_text().split() if word.startswith("bells/")} == ids
