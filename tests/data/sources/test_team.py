"""Own notes, pinned by one of a team, on the clone of another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notedecay.data.sources import packages
from tests import toy

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of a project whose own notes lie in a remote of DVC."""
    top = tmp_path_factory.mktemp("team")
    own = toy.make_project(top / "own", range(57, 61))
    toy.dvc(own, "remote", "add", "--default", "store", str(top / "store"))
    toy.run(own, "git", "commit", "-aqm", "remote")
    toy.dvc(own, "push")
    toy.run(top, "git", "clone", "-q", str(own), "clone")
    return top / "clone"


def test_fetch_brings_only_what_is_pinned_and_names_the_command_for_the_rest(clone: Path) -> None:
    answer = toy.notedecay(clone, "fetch", ok=False)
    assert answer.returncode == 2
    assert "missing: bells/own/A3.wav" in answer.stderr
    assert "'dvc pull data'" in answer.stderr
    assert not (clone / "data").exists()
    toy.dvc(clone, "pull", "data")
    assert "4 files, as data.dvc pins them" in toy.notedecay(clone, "fetch").stdout
    assert toy.run(clone, "git", "status", "--porcelain").stdout == ""


def test_pulling_works_beside_recordings_that_are_there_already(clone: Path) -> None:
    toy.dvc(clone, "pull", "data")
    (clone / "data/bells/own/B3.wav").unlink()
    toy.notedecay(clone, "fetch", ok=False)
    toy.dvc(clone, "pull", "data")
    toy.notedecay(clone, "verify")


def test_more_notes_are_pinned_on_top(clone: Path, tmp_path: Path) -> None:
    toy.dvc(clone, "pull", "data")
    toy.make_notes(tmp_path / "more", range(61, 63))
    shown = toy.notedecay(clone, "fetch", "--source", str(tmp_path / "more"),
                          "--instrument", "bells").stdout  # fmt: skip
    assert "data/ holds 2 files not pinned yet: 'notedecay pin' accepts it" in shown
    assert "no longer pinned" not in toy.notedecay(clone, "pin").stdout
    shutil.rmtree(clone / "data/bells/own")
    shown = toy.notedecay(clone, "pin").stdout
    assert "no longer pinned, not in data/: bells/own (4 files)" in shown


def test_without_git_dvc_s_own_reason_is_given(clone: Path, tmp_path: Path) -> None:
    copy = tmp_path / "unpacked"
    shutil.copytree(clone, copy, ignore=shutil.ignore_patterns(".git"))
    toy.make_notes(copy / "data/bells/new", range(64, 65))
    answer = toy.notedecay(copy, "pin", ok=False)
    assert answer.returncode == 2
    assert "is not a git repository" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("files", "known"),
    [
        ([], []),
        (["banjo/own/C4.wav"], []),
        (["guitar/steel/C4.wav", "piano/iowa-ff/Piano.ff.C4.flac"], ["piano", "guitar"]),
        (["piano/steel/C4.wav", "flute/tonejs/C4.wav"], ["flute"]),
    ],
)
def test_packages_are_known_by_their_folders(files: list[str], known: list[str]) -> None:
    assert packages.packages_of(files) == known
