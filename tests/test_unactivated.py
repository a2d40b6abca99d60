"""Without activation: what is started is found in the environment of what starts it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from notedecay.core.commands import find_children, installed, pasteable
from tests import toy

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

BARE = "/usr/bin:/bin"
STAGE = """#!/bin/sh
echo "$0" > result.txt
"""


def program(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(STAGE)
    path.chmod(0o755)


def command_of_a_stage() -> str:
    stages = yaml.safe_load((toy.ROOT / "dvc.yaml").read_text())["stages"]
    found = {stage["do"]["cmd"].partition(" notedecay ")[0] for stage in stages.values()}
    assert len(found) == 1  # all are found alike
    return f"{found.pop()} notedecay stage prepare bells"


@pytest.fixture
def project(tmp_path) -> Path:
    """A project whose only stage has the command of ours, and an environment in .venv."""
    root = tmp_path / "my music"
    root.mkdir()
    toy.run(root, "git", "init", "-q")
    toy.run(root, "git", "config", "user.email", "toy@example.org")
    toy.run(root, "git", "config", "user.name", "toy")
    toy.dvc(root, "init", "-q")
    stage = {"cmd": command_of_a_stage(), "deps": ["dep.txt"], "outs": ["result.txt"]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"one": stage}}))
    (root / "dep.txt").write_text("1")
    (root / ".gitignore").write_text(".venv\n")
    toy.run(root, "git", "add", "-A")
    toy.run(root, "git", "commit", "-qm", "all")
    return root


def repro(root: Path, *arguments: str, path: str, shell: str = "/bin/sh") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root, env={**toy.environment(), "PATH": path, "SHELL": shell},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return (root / "result.txt").read_text().strip()


SHELLS = [s for name in ("sh", "bash", "zsh", "fish", "csh") if (s := shutil.which(name))]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_stage_finds_the_environment_of_the_project(project, shell):
    program(project / ".venv/bin/notedecay")
    assert repro(project, "repro", "-q", path=BARE, shell=shell) == f"{project}/.venv/bin/notedecay"


def test_an_experiment_in_a_copy_finds_it_too(project):
    program(project / ".venv/bin/notedecay")
    (project / "dep.txt").write_text("2")
    toy.run(project, "git", "commit", "-qam", "two")
    repro(project, "repro", "-q", path=BARE)
    toy.run(project, "git", "add", "-A")
    toy.run(project, "git", "commit", "-qm", "lock")
    (project / "dep.txt").write_text("3")
    repro(project, "exp", "run", "-q", "--temp", "--name", "other", path=BARE)
    found = toy.dvc(project, "exp", "apply", "other")
    assert found.returncode == 0
    assert (project / "result.txt").read_text().strip() == f"{project}/.venv/bin/notedecay"


def test_without_an_environment_in_the_project_the_search_path_is_used(project, tmp_path):
    program(tmp_path / "bin/notedecay")
    path = f"{tmp_path / 'bin'}:{BARE}"
    assert repro(project, "repro", "-q", path=path) == f"{tmp_path}/bin/notedecay"


def test_the_lock_knows_the_commands_of_the_stages():
    stages = yaml.safe_load((toy.ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in yaml.safe_load((toy.ROOT / "dvc.lock").read_text())["stages"].items():
        stage_name, _, key = name.partition("@")
        assert stage["cmd"] == stages[stage_name]["do"]["cmd"].replace("${key}", key)


@pytest.mark.parametrize("path", [BARE, None, ""])
def test_children_are_found_beside_the_interpreter(monkeypatch, path):
    here = str(Path(sys.executable).parent)
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    find_children()
    assert os.environ["PATH"].split(os.pathsep)[0] == here
    assert shutil.which("uvicorn") == str(installed("uvicorn"))
    first = os.environ["PATH"]
    find_children()
    assert os.environ["PATH"] == first


@pytest.mark.parametrize("word", ["a b", "it's", "$HOME", 'say "x"', "a;b", "[x]", "*", ""])
def test_a_printed_command_gives_its_words_back(word):
    shown = subprocess.run(
        f"printf '%s|' {pasteable('x', word, Path('/a b'))}",
        shell=True, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.split("|")[:-1] == ["x", word, "/a b"]
