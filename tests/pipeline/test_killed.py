"""Stages killed in the middle of their work, and run again: nothing lost, nothing repeated."""

from __future__ import annotations

import copy
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from mlflow.entities import Run
from optuna.trial import FrozenTrial
from rich.console import Console

from notedecay.core.config import load_params
from notedecay.core.project import Project
from notedecay.pipeline import STAGES
from notedecay.tracking.store import connect
from tests import toy

pytestmark = pytest.mark.end_to_end

TRIALS, EPOCHS = 3, 120


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A project whose notes are ready, with short trials; whoever runs anything copies it."""
    root = toy.make_project(tmp_path_factory.mktemp("toy") / "project", range(57, 65))
    bells = copy.deepcopy(toy.INSTRUMENT)
    bells["search"] |= {"trials": TRIALS, "epochs": 6, "check_every": 3, "window": 2}
    bells["evaluate"]["seen_notes"] = 1
    bells["train"]["epochs"] = EPOCHS
    toy.write_params(root, {"seed": 5, "instruments": {"bells": bells}})
    params = load_params(root / "params.yaml")
    for stage in ("configure", "prepare"):
        STAGES[stage](Project(root), params, "bells", Console(quiet=True))
    return root


@pytest.fixture(scope="module")
def copied(prepared, tmp_path_factory) -> Callable[[str], Path]:
    """Copies the project, in which nothing was searched or trained."""

    def copy_to(name: str) -> Path:
        assert not (prepared / "mlruns/optuna.db").exists()
        assert not (prepared / "mlruns/mlflow.db").exists()
        root = tmp_path_factory.mktemp(name) / "project"
        shutil.copytree(prepared, root, symlinks=True)
        return root

    return copy_to


@pytest.fixture(scope="module")
def whole(copied) -> Path:
    """Searched and trained without an interruption."""
    root = copied("whole")
    program = "from notedecay.cli import app\n" + "\n".join(
        f"app(['stage', '{stage}', 'bells'], standalone_mode=False)"
        for stage in ("search", "train")
    )
    toy.run(root, sys.executable, "-c", program)
    return root


@pytest.fixture(scope="module")
def killed(copied) -> dict[str, Any]:
    """Searched and trained with a kill in each; what was there at that moment."""
    root = copied("killed")
    seen = {
        "search": killed_once(root, "search", trials_done),
        "train": killed_once(root, "train", epochs_done),
    }
    return {"root": root, **seen}


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


def study(root: Path) -> dict[int, FrozenTrial]:
    """Finished trials of the project's only study, by slot."""
    storage = f"sqlite:///{root}/mlruns/optuna.db"
    (name,) = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).trials
    assert len({trial.user_attrs["slot"] for trial in trials}) == len(trials)
    return {trial.user_attrs["slot"]: trial for trial in trials}


def points(root: Path) -> list[tuple[str, dict[str, Any], float | None]]:
    return [(t.state.name, t.params, t.value) for _, t in sorted(study(root).items())]


def trials_done(root: Path) -> list[int]:
    """Slots that are over, once a trial is under way beside them."""
    if not list((root / "mlruns/trials").glob("*.unfinished/history.json")):
        return []
    return sorted(study(root))


def epochs_done(root: Path) -> list[int]:
    """Epochs in the history, once some lie behind the last checkpoint."""
    found = list((root / "mlruns/trials").glob("*.unfinished/history.json"))
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


def test_the_other_was_never_interrupted(whole):
    assert [state for state, *_ in points(whole)] == ["COMPLETE"] * TRIALS
    for kind, count in (("study", 1), ("trial", TRIALS), ("train", 1)):
        assert [run.info.status for run in runs(whole, kind)] == ["FINISHED"] * count


def test_finished_trials_are_kept_and_none_is_repeated(killed, whole):
    assert points(killed["root"]) == points(whole)


def test_the_killed_trial_goes_on_in_its_run(killed):
    root = killed["root"]
    assert [(run.info.run_name, run.info.status) for run in runs(root, "trial")] == [
        (f"trial {n} lstm", "FINISHED") for n in range(TRIALS)
    ]
    assert [run.info.status for run in runs(root, "study")] == ["FINISHED"]


def test_the_training_goes_on_in_its_run(killed):
    (run,) = runs(killed["root"], "train")
    assert run.info.status == "FINISHED"
    history = connect(killed["root"] / "mlruns").get_metric_history(run.info.run_id, "train_loss")
    assert sorted(m.step for m in history) == list(range(1, EPOCHS + 1))
    assert not list((killed["root"] / "mlruns/trials").glob("*.unfinished"))


def test_the_diagnosis_shows_every_epoch_as_if_nothing_had_happened(killed, whole):
    snapshots = []
    for root in (killed["root"], whole):
        run = runs(root, "train")[-1]
        found = connect(root / "mlruns").download_artifacts(
            run.info.run_id, "diagnosis/snapshots.json"
        )
        snapshots.append(json.loads(Path(found).read_text()))
    assert [one["epoch"] for one in snapshots[0]] == list(range(1, EPOCHS + 1))
    assert snapshots[0] == snapshots[1]


@pytest.mark.parametrize(
    "file", ["best.json", "trials.csv", "model/weights.safetensors", "model/model.json"]
)
def test_the_results_are_those_of_an_uninterrupted_run(killed, whole, file):
    results = Path("results/bells", file)
    assert (killed["root"] / results).read_bytes() == (whole / results).read_bytes()


def test_the_curve_has_neither_holes_nor_doubles(killed):
    lines = (killed["root"] / "results/bells/training.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, EPOCHS + 1))


@pytest.fixture(scope="module")
def doubled(copied) -> dict[str, Any]:
    """Each stage run twice at once."""
    root = copied("doubled")
    shown = {}
    for stage in ("search", "train", "compare", "register"):
        command = ["notedecay", "stage", stage, "bells"]
        both = [
            subprocess.Popen(
                command, cwd=root, env=toy.environment(),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        texts = [process.communicate()[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], texts
        shown[stage] = "".join(texts)
    return {"root": root, **shown}


@pytest.mark.long
def test_two_searches_at_once_run_each_trial_once(doubled, whole):
    assert points(doubled["root"]) == points(whole)
    assert [run.info.status for run in runs(doubled["root"], "trial")] == ["FINISHED"] * TRIALS


@pytest.mark.long
@pytest.mark.parametrize("stage", ["search", "train", "compare", "register"])
def test_the_second_reports_that_it_waits(doubled, stage):
    assert doubled[stage].count(f"another 'notedecay stage {stage} bells' is running") == 1
    assert "Traceback" not in doubled[stage]


@pytest.mark.parametrize(
    "file", ["best.json", "trials.csv", "training.csv", "model/weights.safetensors"]
)
@pytest.mark.long
def test_two_at_once_leave_the_results_of_one(doubled, whole, file):
    results = Path("results/bells", file)
    assert (doubled["root"] / results).read_bytes() == (whole / results).read_bytes()


@pytest.mark.long
def test_two_registers_at_once_make_one_version_of_a_run(doubled):
    client = connect(doubled["root"] / "mlruns")
    versions = client.search_model_versions("name = 'notedecay-bells'")
    assert len(versions) == 2
    assert len({version.run_id for version in versions}) == 2
    for version in versions:
        assert client.get_run(version.run_id).info.status == "FINISHED"


@pytest.fixture(scope="module")
def orphaned(copied) -> dict[str, Any]:
    """Searched by a DVC that was killed alone, and then by another."""
    root = copied("orphaned")
    toy.dvc(root, "commit", "--force", "configure@bells", "prepare@bells")
    command = [sys.executable, "-m", "dvc", "repro", "search@bells"]
    dvc = subprocess.Popen(
        command, cwd=root, env=toy.environment(), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not trials_done(root):
            assert dvc.poll() is None, "ended before it could be killed"
            time.sleep(0.05)
        below = psutil.Process(dvc.pid).children(recursive=True)
    finally:
        dvc.kill()
        dvc.wait()
    _, alive = psutil.wait_procs(below, timeout=60)
    done = [state for state, *_ in points(root)]
    toy.dvc(root, "repro", "search@bells")
    return {"root": root, "alive": alive, "done": done}


@pytest.mark.long
def test_a_stage_ends_with_the_dvc_that_was_killed(orphaned):
    assert orphaned["alive"] == []
    assert set(orphaned["done"]) == {"COMPLETE"}  # as if it were interrupted
    assert 1 <= len(orphaned["done"]) < TRIALS


@pytest.mark.long
def test_the_next_dvc_makes_what_an_uninterrupted_one_makes(orphaned, whole):
    root = orphaned["root"]
    assert [run.info.status for run in runs(root, "trial")] == ["FINISHED"] * TRIALS
    for file in ("best.json", "trials.csv"):
        results = Path("results/bells", file)
        assert (root / results).read_bytes() == (whole / results).read_bytes()
