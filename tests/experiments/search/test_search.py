"""A search with real trials: every trial counts once, and has a run with audio."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import mlflow
import optuna
import pytest
from mlflow.entities import Run

from notedecay.core.errors import UserError
from notedecay.experiments.search.objective import Best
from notedecay.models.recurrent.lstm import Lstm
from notedecay.tracking.runs import Tracker
from tests.experiments.search.searches import Counted, run_search, runs


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
    (one, three, _), drawn, folder = searched
    assert [bars.totals for bars in drawn] == [[(0, 1)], [(1, 3)], [(3, 3)]]
    assert [bars.names for bars in drawn] == [
        ["trial 0 lstm"], ["trial 1 lstm", "trial 2 lstm"], [],
    ]  # fmt: skip
    assert [len(bars.epochs) for bars in drawn] == [24, 48, 0]
    assert three.trials[:1] == one.trials
    assert len({row["lstm.learning_rate"] for row in three.trials}) == 3
    assert [path.name for path in (folder / "trials").iterdir()] == [".locks"]


def test_the_best_complete_trial_is_found(searched):
    (_, best, again), *_ = searched
    assert best == again
    top = max(best.trials, key=lambda row: row["score"])
    assert best.model == "lstm"
    assert best.score == top["score"] > 0.0
    assert best.settings == {
        "units": top["lstm.units"],
        "learning_rate": top["lstm.learning_rate"],
        "resolution": 40,
        "transpose": 0,
        "batch": 1,
        "epochs": 24,
    }
    assert all(row["lstm.units"] in (16, 32) for row in best.trials)
    assert all(0.01 <= row["lstm.learning_rate"] <= 0.05 for row in best.trials)


def test_a_search_in_one_go_finds_the_same_and_another_seed_does_not(
    searched, notes, tracker, tmp_path
):
    def whole(seed: int, trials: int) -> Best:
        folder = tmp_path / str(seed)
        return run_search(f"whole {seed}", trials, notes, tracker, folder, seed=seed)

    assert whole(3, 3) == searched[0][1]
    assert whole(4, 1).trials != searched[0][0].trials


def test_the_study_is_the_parent_of_its_trials(searched, tracker):
    best = searched[0][1]
    study, trials = runs(tracker, "resumed")
    assert study.data.tags["notedecay.kind"] == "study"
    assert study.data.metrics["trials"] == 3.0
    assert study.data.metrics["best.score"] == best.score
    assert [run.data.tags["notedecay.trial_number"] for run in trials] == ["0", "1", "2"]
    assert {run.info.status for run in (study, *trials)} == {"FINISHED"}
    assert [float(run.data.params["learning_rate"]) for run in trials] == [
        row["lstm.learning_rate"] for row in best.trials
    ]


def test_the_study_names_what_it_searched_and_found(searched, tracker):
    best = searched[0][1]
    study, trials = runs(tracker, "resumed")
    assert study.info.run_name == "search bells"
    top = max(range(3), key=lambda number: best.trials[number]["score"])
    assert study.data.tags["notedecay.best_trial"] == trials[top].info.run_name
    text = mlflow.artifacts.load_text(f"{study.info.artifact_uri}/trials.csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["score"]) for row in rows] == [row["score"] for row in best.trials]


def assert_has_audio(tracker: Tracker, run: Run) -> None:
    assert {"seen.score", "validation.score", "selected.epoch"} <= set(run.data.metrics)
    files = tracker.client.list_artifacts(run.info.run_id, "listen/validation/bells.pp.170")
    assert {Path(file.path).name for file in files} == {
        "original.wav", "with_prime.wav", "without_prime.wav", "picture.png",
    }  # fmt: skip


def test_a_trial_keeps_scores_of_each_epoch_and_sounds(searched, tracker):
    best = searched[0][1]
    for run, row in zip(runs(tracker, "resumed")[1], best.trials, strict=True):
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


@pytest.mark.usefixtures("pruned")
def test_a_pruned_trial_counts_and_has_audio(notes, tracker, tmp_path):
    bars = Counted()
    best = run_search("pruned", 2, notes, tracker, tmp_path, bars=bars)
    assert bars.epochs == [*range(1, 25), *range(1, 9)]
    assert [row["state"] for row in best.trials] == ["complete", "pruned"]
    assert best.score == best.trials[0]["score"]
    run = runs(tracker, "pruned")[1][1]
    assert run.info.status == "FINISHED"
    assert run.data.tags["notedecay.outcome"] == "pruned"
    assert_has_audio(tracker, run)


def test_a_diverging_trial_is_worth_nothing_and_the_search_goes_on(
    notes, tracker, tmp_path, monkeypatch
):
    loss = Lstm.loss
    monkeypatch.setattr(Lstm, "loss", lambda *given: loss(*given) * float("nan"))
    best = run_search("diverging", 2, notes, tracker, tmp_path)
    assert [(row["state"], row["score"]) for row in best.trials] == [("complete", 0.0)] * 2
    _, trials = runs(tracker, "diverging")
    assert {run.info.status for run in trials} == {"FINISHED"}
    assert "training diverged in epoch 1" in trials[0].data.tags["notedecay.outcome"]


def test_a_search_without_a_complete_trial_is_one_line(notes, tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda _: True)
    with pytest.raises(UserError, match=r"no trial of all pruned ran to its end; raise search\.t"):
        run_search("all pruned", 1, notes, tracker, tmp_path)


def test_a_failing_trial_is_queued_again_and_its_error_seen(notes, tracker, tmp_path, monkeypatch):
    loss = Lstm.loss

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Lstm, "loss", broken)
    with pytest.raises(ZeroDivisionError):
        run_search("failing", 1, notes, tracker, tmp_path)
    _, failed = runs(tracker, "failing")
    assert [run.info.status for run in failed] == ["FAILED"]
    monkeypatch.setattr(Lstm, "loss", loss)
    best = run_search("failing", 1, notes, tracker, tmp_path)
    _, (run,) = runs(tracker, "failing")
    assert run.info.status == "FINISHED"
    assert run.data.params["learning_rate"] == str(best.settings["learning_rate"])


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
    bars = Counted()
    assert run_search(name, 3, notes, tracker, tmp_path, bars=bars) == searched[0][1]
    assert bars.epochs[0] > 1
    study, trials = runs(tracker, name)
    assert {run.info.status for run in (study, *trials)} == {"FINISHED"}
    steps = tracker.client.get_metric_history(trials[1].info.run_id, "train_loss")
    assert sorted(metric.step for metric in steps) == list(range(1, 25))
