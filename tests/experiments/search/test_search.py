"""A search with real trials: every trial counts once, and has a run with audio."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run

from notedecay.core.errors import MachineError, UserError
from notedecay.experiments.execute import execute
from notedecay.experiments.runners.pool import PoolRunner
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from notedecay.models.recurrent.lstm import Lstm
from notedecay.tracking.runs import Tracker
from tests.experiments.search.searches import SPACE, Counted, run_search, runs


@pytest.fixture(scope="module")
def searched(notes, tracker, tmp_path_factory):
    """A search of one trial, then of three, then again."""
    folder = tmp_path_factory.mktemp("resumed")
    drawn = [Counted(), Counted(), Counted()]
    found = [
        run_search("resumed", trials, notes, tracker, folder, bars=bars)
        for trials, bars in zip((1, 3, 3), drawn, strict=True)
    ]
    return found, drawn, folder


def test_a_longer_search_goes_on_and_repeats_nothing(searched):
    (one, three, again), drawn, _ = searched
    assert [bars.names for bars in drawn] == [
        ["trial 0 lstm"], ["trial 1 lstm", "trial 2 lstm"], [],
    ]  # fmt: skip
    assert [bars.totals[0] for bars in drawn] == [(0, 1), (1, 3), (3, 3)]
    assert [bars.totals[-1] for bars in drawn] == [(1, 1), (3, 3), (3, 3)]
    assert [len(bars.epochs) for bars in drawn] == [24, 48, 0]
    assert three[:1] == one
    assert again == three
    assert len({row["lstm.learning_rate"] for row in three}) == 3


def test_neither_checkpoint_nor_claim_is_left(searched):
    folder = searched[2]
    assert [path.name for path in (folder / "trials").iterdir()] == [".locks"]
    assert [path.name for path in (folder / ".locks").iterdir()] == ["studies.lock"]


def test_points_are_those_of_the_space(searched):
    rows = searched[0][1]
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert {row["state"] for row in rows} == {"complete"}
    assert all(row["lstm.units"] in (16, 32) for row in rows)
    assert all(0.01 <= row["lstm.learning_rate"] <= 0.05 for row in rows)
    assert all(0.0 <= row["score"] < 1.0 for row in rows)


def test_a_search_in_one_go_finds_the_same_and_another_seed_does_not(
    searched, notes, tracker, tmp_path
):
    def whole(seed: int, trials: int) -> list[dict[str, Any]]:
        folder = tmp_path / str(seed)
        return run_search(f"whole {seed}", trials, notes, tracker, folder, seed=seed)

    assert whole(3, 3) == searched[0][1]
    assert whole(4, 1) != searched[0][0]


def test_two_workers_make_the_same_trials_as_one(notes, tracker, tmp_path):
    """With a window of two: the third trial knows the first, and runs beside the second."""

    def rows(workers: int) -> list[dict[str, Any]]:
        folder = tmp_path / str(workers)
        runner = PoolRunner(TrialStore(folder / "trials"), ["cpu"] * workers)
        changed = {"window": 2, "epochs": 8}
        return run_search(f"{workers} workers", 4, notes, tracker, folder, config=changed,
                          runner=runner)  # fmt: skip

    one = rows(1)
    assert rows(2) == one
    assert len({row["lstm.learning_rate"] for row in one}) == 4


def test_the_study_is_the_parent_of_its_trials(searched, tracker):
    rows = searched[0][1]
    study, trials = runs(tracker, "resumed")
    assert study.data.tags["notedecay.kind"] == "study"
    assert study.data.metrics["trials"] == 3.0
    assert [run.data.tags["notedecay.trial_number"] for run in trials] == ["0", "1", "2"]
    assert {run.info.status for run in (study, *trials)} == {"FINISHED"}
    assert [float(run.data.params["learning_rate"]) for run in trials] == [
        row["lstm.learning_rate"] for row in rows
    ]


def test_the_study_keeps_its_trials_as_a_table(searched, tracker):
    study, _ = runs(tracker, "resumed")
    assert study.info.run_name == "search bells"
    text = mlflow.artifacts.load_text(f"{study.info.artifact_uri}/trials.csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["score"]) for row in rows] == [row["score"] for row in searched[0][1]]


def assert_has_audio(tracker: Tracker, run: Run) -> None:
    assert {"seen.score", "validation.score", "selected.epoch"} <= set(run.data.metrics)
    files = tracker.client.list_artifacts(run.info.run_id, "listen/validation/bells.pp.170")
    assert {Path(file.path).name for file in files} == {
        "original.wav", "with_prime.wav", "without_prime.wav", "picture.png",
    }  # fmt: skip


def test_a_trial_keeps_scores_of_each_epoch_and_sounds(searched, tracker):
    for run, row in zip(runs(tracker, "resumed")[1], searched[0][1], strict=True):
        history = tracker.client.get_metric_history(run.info.run_id, "checkpoint.score")
        scores = {m.step: m.value for m in history}
        assert scores.keys() == {8, 16, 24}
        assert (
            run.data.metrics["validation.score"]
            == scores[run.data.metrics["selected.epoch"]]
            == row["score"]
        )
        assert run.data.tags["notedecay.outcome"] == "complete"
        assert_has_audio(tracker, run)


def test_a_diverging_trial_fails_with_its_reason_and_the_search_goes_on(
    notes, tracker, tmp_path, monkeypatch
):
    loss = Lstm.loss
    broken = lambda net, *given: loss(net, *given) * float("nan")  # noqa: E731
    monkeypatch.setattr(Lstm, "loss", broken)
    rows = run_search("diverging", 2, notes, tracker, tmp_path)
    assert [(row["state"], row["score"]) for row in rows] == [("fail", None)] * 2
    _, trials = runs(tracker, "diverging")
    assert {run.info.status for run in trials} == {"FINISHED"}
    assert "training diverged in epoch 1" in trials[0].data.tags["notedecay.outcome"]


def test_a_trial_that_fails_counts_and_its_run_says_why(notes, tracker, tmp_path):
    """Half of the trials are of a time resolution that the notes are too short for."""
    space = {"lstm": SPACE | {"resolution": 40, "layers": [1, 2]}}
    bars = Warned()
    runner = PoolRunner(TrialStore(tmp_path / "trials"), ["cpu"], failing)
    rows = run_search("faulty", 4, notes, tracker, tmp_path, bars=bars, runner=runner,
                      config={"spaces": space, "epochs": 8})  # fmt: skip
    states = {row["lstm.layers"]: row["state"] for row in rows}
    assert states == {1: "complete", 2: "fail"}
    failed = [run for run in runs(tracker, "faulty")[1] if run.data.params["layers"] == "2"]
    assert {run.info.status for run in failed} == {"FAILED"}
    assert {run.data.tags["notedecay.outcome"] for run in failed} == {"note C9 is damaged"}
    assert bars.warned == [f"{run.info.run_name} failed: note C9 is damaged" for run in failed]


def failing(trial: Trial, store: TrialStore, device: str, report: Any) -> None:
    if trial.settings["layers"] == 2:
        raise UserError("note C9 is damaged")
    execute(trial, store, device, report)


class Warned(Counted):
    def __init__(self) -> None:
        super().__init__()
        self.warned: list[str] = []

    def warn(self, line: str) -> None:
        self.warned.append(line)


def test_a_full_disk_ends_the_search_and_it_goes_on_later(searched, notes, tracker, tmp_path):
    """No trial counts as failed for it."""
    runner = PoolRunner(TrialStore(tmp_path / "trials"), ["cpu"], full)
    with pytest.raises(UserError, match=r"trial 0 lstm: history\.json cannot be written: No space"):
        run_search("full", 1, notes, tracker, tmp_path, runner=runner)
    assert run_search("full", 1, notes, tracker, tmp_path) == searched[0][0]
    assert [run.info.status for run in runs(tracker, "full")[1]] == ["FINISHED"]


def full(*_: Any) -> None:
    raise MachineError("history.json cannot be written: No space left on device")


@pytest.mark.parametrize("stop", [8, 20])
def test_an_interrupted_trial_resumes_and_the_search_ends_the_same(
    searched, notes, tracker, tmp_path, stop
):
    """Its run too: one run, each epoch once."""

    class Stopped(Counted):
        def epoch(self, name: str, number: int, of: int, note: str | None) -> None:
            super().epoch(name, number, of, note)
            if name == "trial 1 lstm" and number == stop:
                raise KeyboardInterrupt

    name = f"stopped {stop}"
    with pytest.raises(KeyboardInterrupt):
        run_search(name, 3, notes, tracker, tmp_path, bars=Stopped())
    assert {run.info.status for run in runs(tracker, name)[1]} == {"FINISHED", "KILLED"}
    drawn = Counted()
    assert run_search(name, 3, notes, tracker, tmp_path, bars=drawn) == searched[0][1]
    study, trials = runs(tracker, name)
    assert {run.info.status for run in (study, *trials)} == {"FINISHED"}
    assert len(trials) == 3
    assert (
        len(drawn.epochs) == 24 + 24 - (stop - 1) // 5 * 5
    )  # the last checkpoint is of 5, 10, ...
    history = tracker.client.get_metric_history(trials[1].info.run_id, "train_loss")
    assert sorted(metric.step for metric in history) == list(range(1, 25))
