"""Stages killed in the middle of their work, and run again: nothing lost, nothing repeated."""

from __future__ import annotations

import copy
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from mlflow.entities import Run
from rich.console import Console

from notedecay.config import load_params
from notedecay.pipeline import STAGES
from notedecay.project import Project
from notedecay.search.study import finished
from notedecay.tracking.store import connect
from tests import toy

TRIALS, EPOCHS = 2, 40


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A project whose notes are ready, with short trials."""
    root = toy.make_project(tmp_path_factory.mktemp("toy") / "project", range(57, 65))
    bells = copy.deepcopy(toy.INSTRUMENT)
    bells["search"] |= {"trials": TRIALS, "epochs": 6, "check_every": 3}
    bells["evaluate"]["seen_notes"] = 1
    bells["train"]["epochs"] = EPOCHS
    toy.write_params(root, {"seed": 5, "instruments": {"bells": bells}})
    params = load_params(root / "params.yaml")
    STAGES["prepare"](Project(root), params, "bells", Console(quiet=True))
    return root


@pytest.fixture(scope="module")
def whole(prepared, tmp_path_factory) -> Path:
    """Searched and trained without an interruption."""
    root = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(prepared, root, symlinks=True)
    program = "from notedecay.cli import app\n" + "\n".join(
        f"app(['stage', '{stage}', 'bells'], standalone_mode=False)"
        for stage in ("search", "train")
    )
    toy.run(root, sys.executable, "-c", program)
    return root


@pytest.fixture(scope="module")
def killed(prepared) -> dict[str, Any]:
    """Searched and trained with a kill in each; what was there at that moment."""
    seen = {
        "search": killed_once(prepared, "search", trials_done),
        "train": killed_once(prepared, "train", epochs_done),
    }
    return {"root": prepared, **seen}


def killed_once(root: Path, stage: str, progress: Callable[[Path], list[int]]) -> list[int]:
    """Kill a stage when it is well under way, run it again, and say how far it had come."""
    command = ["notedecay", "stage", stage, "bells"]
    process = subprocess.Popen(command, cwd=root, env=toy.environment(), stdout=subprocess.DEVNULL)
    try:
        while not progress(root):
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.05)
    finally:
        process.kill()
        ended = process.wait()
    assert ended == -signal.SIGKILL
    done = progress(root)
    toy.run(root, *command)
    return done


def study(root: Path) -> optuna.Study:
    storage = f"sqlite:///{root}/mlruns/optuna.db"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def trials_done(root: Path) -> list[int]:
    """Finished trials, once another is under way in a run of its own."""
    query = (
        "select number, state from trials join trial_user_attributes using (trial_id) "
        "where key = 'run_id' order by number"
    )
    try:
        with closing(sqlite3.connect(f"file:{root}/mlruns/optuna.db?mode=ro", uri=True)) as base:
            trials = base.execute(query).fetchall()
    except sqlite3.OperationalError:  # not made yet
        return []
    ended = [number for number, state in trials if state != "RUNNING"]
    return ended if len(trials) > len(ended) else []


def epochs_done(root: Path) -> list[int]:
    """Epochs in the history, once some lie behind the last checkpoint."""
    found = list((root / "mlruns/checkpoints").glob("*/history.json"))
    history = json.loads(found[0].read_text())["history"] if found else []
    epochs = [row["epoch"] for row in history]
    return epochs if len(epochs) > 6 else []


def runs(root: Path, kind: str) -> list[Run]:
    client = connect(root / "mlruns")
    experiment = client.get_experiment_by_name("notedecay-bells")
    return client.search_runs(
        [experiment.experiment_id], f"tags.`notedecay.kind` = '{kind}'", order_by=["start_time"]
    )


def test_the_kill_came_in_the_middle(killed):
    assert 1 <= len(killed["search"]) < TRIALS
    assert 6 < len(killed["train"]) < EPOCHS


def test_finished_trials_are_kept_and_none_is_repeated(killed, whole):
    trials = study(killed["root"]).trials
    assert [t.number for t in trials if t.state.name == "FAIL"] == [len(killed["search"])]
    ended = finished(study(killed["root"]))
    assert [t.number for t in ended][: len(killed["search"])] == killed["search"]
    assert [(t.params, t.value) for t in ended] == [
        (t.params, t.value) for t in finished(study(whole))
    ]


def test_the_runs_of_the_dead_process_are_killed(killed):
    root, before = killed["root"], len(killed["search"])
    statuses = [run.info.status for run in runs(root, "trial")]
    expected = ["FINISHED"] * before + ["KILLED"] + ["FINISHED"] * (TRIALS - before)
    assert statuses == expected
    assert [run.info.status for run in runs(root, "study")] == ["FINISHED"]


def test_the_training_goes_on_in_its_run(killed):
    (run,) = runs(killed["root"], "train")
    assert run.info.status == "FINISHED"
    history = connect(killed["root"] / "mlruns").get_metric_history(run.info.run_id, "train_loss")
    assert sorted(m.step for m in history) == list(range(1, EPOCHS + 1))
    assert not list((killed["root"] / "mlruns/checkpoints").iterdir())


def test_the_diagnosis_shows_every_epoch_as_if_nothing_had_happened(killed, whole):
    looks = []
    for root in (killed["root"], whole):
        run = runs(root, "train")[-1]
        found = connect(root / "mlruns").download_artifacts(run.info.run_id, "diagnosis/looks.json")
        looks.append(json.loads(Path(found).read_text()))
    assert [look["epoch"] for look in looks[0]] == list(range(1, EPOCHS + 1))
    assert looks[0] == looks[1]
    assert runs(killed["root"], "train")[-1].info.run_id != run.info.run_id


@pytest.mark.parametrize(
    "file", ["best.json", "trials.csv", "model/weights.safetensors", "model/continuator.json"]
)
def test_the_results_are_those_of_an_uninterrupted_run(killed, whole, file):
    results = Path("results/bells", file)
    assert (killed["root"] / results).read_bytes() == (whole / results).read_bytes()


def test_the_curve_has_neither_holes_nor_doubles(killed):
    lines = (killed["root"] / "results/bells/training.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, EPOCHS + 1))
