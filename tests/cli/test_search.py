"""``notedecay search``: run, worker and status, as a user calls them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests import toy
from tests.searched import Searched, kill_all, make, stop

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "project", trials=2, finalists=2, epochs=40,
                check_every=20)  # fmt: skip


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Searched:
    return Searched.copied(prepared, tmp_path / "project")


def call(project: Searched, *words: str, ok: bool = True) -> str:
    done = subprocess.run(
        ["notedecay", "search", *words], cwd=project.root, env=project.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    if not ok:
        assert done.returncode == 2
    return done.stdout + done.stderr


def test_status_before_within_and_after(project: Searched) -> None:
    before = call(project, "status")
    assert re.fullmatch(
        r"bells: not begun \(bells-[0-9a-f]{10}\); 'notedecay search bells' starts it\n", before
    )
    project.workers(1)
    project.until(lambda: bool(project.unfinished()))
    stop(project)
    try:
        within = call(project, "status", "bells")
        assert re.search(r"trial \d (lstm|gru): epoch (\d+|\?) of 40, by \S+:\d+ since 20", within)
    finally:
        kill_all(project)
    assert "nobody works on it" in call(project, "status")
    assert "best of 2 trials" in call(project, "bells")
    assert re.match(
        r"bells: 2 of 2 trials over \(bells-\w+\); best 0\.\d+ \w+", call(project, "status")
    )


def test_the_finalists_are_compared_on_folds_and_the_choice_is_said(project: Searched) -> None:
    printed = call(project, "bells", "--workers", "2")
    best = json.loads((project.root / "results/bells/best.json").read_text())
    assert best["choice"] in printed
    rows = (project.root / "results/bells/finalists.csv").read_text().splitlines()
    assert rows[0] == "trial,model,validation,folds,cost,chosen"
    assert sorted(row.rpartition(",")[2] for row in rows[1:]) == ["no", "yes"]
    chosen = next(row for row in rows[1:] if row.endswith("yes")).split(",")
    assert best["model"] == chosen[1]
    assert re.search(r"(leads|beats) .*(within|beyond) chance", best["choice"])
    pareto = (project.root / "results/bells/pareto.csv").read_text().splitlines()
    assert len(pareto) == 3
    tally = project.tally()
    assert tally.runs == {"FINISHED": 2 + 1 + 4}  # trials, the study, two finalists on two folds
    assert tally.left == []


@pytest.mark.long
def test_detached_it_goes_on_without_a_terminal(project: Searched) -> None:
    printed = call(project, "bells", "--detach")
    assert "notedecay search status" in printed
    end = time.monotonic() + 300
    while not (project.root / "results/bells/best.json").exists():
        assert time.monotonic() < end, (project.root / "mlruns/search.log").read_text()
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["worker", "bell"], "no study or instrument 'bell'; did you mean 'bells'?"),
        (["worker", "bells-0123456789"], "has other parameters, notes or code than this project"),
        (["harp"], "params.yaml has no instrument 'harp'"),
        (["bells", "--device", "cuda:7"], "device 'cuda:7' is not here"),
        (["bells", "--ray", "nowhere"], "--ray nowhere: give the address of a cluster"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(words: list[str], line: str, project: Searched) -> None:
    printed = call(project, *words, ok=False)
    assert line in printed
    assert "Traceback" not in printed


def test_a_password_is_not_printed(project: Searched) -> None:
    project.storage = "postgresql://me:hunter2@127.0.0.1:1/studies"
    printed = call(project, "bells", ok=False)
    assert "the database of studies at 127.0.0.1:1/studies cannot be used" in printed
    assert "hunter2" not in printed


def test_help_names_its_commands() -> None:
    printed = subprocess.run(
        ["notedecay", "search", "--help"], env=toy.environment(), capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert all(word in printed for word in ("run", "worker", "status"))
