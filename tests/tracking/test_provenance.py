"""Where a run comes from: a champion can be traced to a commit."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from notedecay.core.project import Project
from notedecay.tracking.provenance import _warn_once, provenance

FILES = ("params.yaml", "dvc.lock", "results/bells/metrics.json", "src/code.py")


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=toy", "-c", "user.email=toy@example.org")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True)


def commit(top: Path, root: Path) -> Project:
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("as committed")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "all")
    return Project(root)


def dirty(project: Project) -> str:
    return provenance(project, 3, project.root / "clips.npz")["git.dirty"]


@pytest.mark.parametrize("below", ["", "music"])
@pytest.mark.parametrize("name", FILES)
def test_only_what_the_pipeline_writes_may_differ_from_the_commit(tmp_path, below, name):
    project = commit(tmp_path, tmp_path / below)
    assert dirty(project) == "false"
    (project.root / name).write_text("other")
    mine = name in ("dvc.lock", "results/bells/metrics.json")
    assert dirty(project) == ("false" if mine else "true")


def test_without_git_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert dirty(Project(tmp_path)) == "unknown"


@pytest.fixture
def said_before():
    _warn_once.cache_clear()


@pytest.mark.usefixtures("said_before")
def test_a_clone_that_git_refuses_is_named_once_with_what_to_do(tmp_path, monkeypatch, capsys):
    project = commit(tmp_path, tmp_path / "another's music")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert dirty(project) == "unknown"
    assert dirty(project) == "unknown"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"git refuses {tmp_path}, which belongs to another user")
    remedy = lines[0][lines[0].index("run ") + 4 :]
    words = ["git", "config", "--global", "--add", "safe.directory", str(tmp_path)]
    assert shlex.split(remedy) == words
    monkeypatch.setenv("HOME", str(tmp_path))
    subprocess.run(remedy, shell=True, check=True)
    assert dirty(project) == "false"


@pytest.mark.usefixtures("said_before")
def test_a_git_that_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    project = commit(tmp_path, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dirty(project) == "unknown"
    assert capsys.readouterr().err == (
        "git cannot be run (No such file or directory): runs are logged without a commit\n"
    )


@pytest.mark.usefixtures("said_before")
def test_without_a_clone_nothing_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert dirty(Project(tmp_path)) == "unknown"
    assert capsys.readouterr().err == ""
