"""Where a run comes from: a champion can be traced to a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from notedecay.project import Project
from notedecay.tracking.provenance import provenance

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
