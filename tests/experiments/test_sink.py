"""Tracking of trials with a real store: each has one run, with every epoch once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.entities import Run

from notedecay.experiments.sink import FINGERPRINT, TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from notedecay.tracking.runs import Tracker
from tests.experiments.bells import make_clips, make_trial
from tests.experiments.recorded import leave, result


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    return Tracker(tmp_path_factory.mktemp("store") / "mlruns", "bells", {})


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data") / "clips.npz")


@pytest.fixture
def trial(clips: Path, request: pytest.FixtureRequest) -> Trial:
    """A trial of the test's own: one store of runs serves all."""
    return make_trial(clips, seed=len(request.node.name) * 1000 + sum(request.node.name.encode()))


@pytest.fixture
def store(tmp_path: Path) -> TrialStore:
    return TrialStore(tmp_path / "trials")


def sink(tracker: Tracker, study: str = "study") -> TrialSink:
    return TrialSink(tracker, "trial", study)


def runs(tracker: Tracker, trial: Trial) -> list[Run]:
    text = f"tags.`{FINGERPRINT}` LIKE '{trial.fingerprint}@%'"
    return list(tracker.client.search_runs([tracker.experiment_id], text))


def steps(tracker: Tracker, run: Run) -> list[int]:
    history = tracker.client.get_metric_history(run.info.run_id, "train_loss")
    return [metric.step for metric in history]


def test_a_run_holds_settings_epochs_and_figures(
    tracker: Tracker, trial: Trial, store: TrialStore
) -> None:
    folder = leave(store, trial)
    with sink(tracker) as tracked:
        tracked.begin(trial, "one", {"notedecay.condition": "C5"})
        tracked.epoch(trial, 1, {"train_loss": 0.9})
        run_id = tracked.end(trial, folder, result())
    (run,) = runs(tracker, trial)
    assert run.info.run_id == run_id
    assert (run.info.run_name, run.info.status) == ("one", "FINISHED")
    assert run.data.params["units"] == "16"
    assert run.data.params["seed"] == str(trial.seed)
    assert run.data.tags["notedecay.condition"] == "C5"
    assert run.data.tags["notedecay.outcome"] == "complete"
    # The second epoch was not reported while the trial ran; a figure without a value is left out.
    assert run.data.metrics == {
        "train_loss": 0.7, "checkpoint.score": 0.5, "selected.epoch": 2.0, "unseen.score": 0.4,
        "unseen.teacher_forced_error": 0.3,
    }  # fmt: skip
    assert steps(tracker, run) == [1, 2]


def test_a_finished_run_is_not_written_again(
    tracker: Tracker, trial: Trial, store: TrialStore
) -> None:
    folder, ids = leave(store, trial), []
    for score in (0.4, 0.9):
        with sink(tracker) as tracked:
            tracked.begin(trial, "one", {})
            tracked.epoch(trial, 1, {"train_loss": score})
            found = result(figures={"unseen": {"score": score}})
            ids.append(tracked.end(trial, folder, found))
    (run,) = runs(tracker, trial)
    assert ids == [run.info.run_id] * 2
    assert run.data.metrics["unseen.score"] == 0.4
    assert steps(tracker, run) == [1, 2]


def test_a_killed_run_is_resumed_and_no_epoch_is_logged_twice(
    tracker: Tracker, trial: Trial, store: TrialStore
) -> None:
    with pytest.raises(KeyboardInterrupt), sink(tracker) as tracked:
        tracked.begin(trial, "one", {})
        tracked.epoch(trial, 1, {"train_loss": 0.9})
        raise KeyboardInterrupt
    (killed,) = runs(tracker, trial)
    assert killed.info.status == "KILLED"
    with sink(tracker) as tracked:
        tracked.begin(trial, "one", {})
        tracked.epoch(trial, 1, {"train_loss": 0.9})
        tracked.epoch(trial, 2, {"train_loss": 0.7})
        assert tracked.end(trial, leave(store, trial), result()) == killed.info.run_id
    (run,) = runs(tracker, trial)
    assert run.info.status == "FINISHED"
    assert steps(tracker, run) == [1, 2]


def test_an_exception_ends_all_open_runs_as_failed(tracker: Tracker, clips: Path) -> None:
    both = [make_trial(clips, seed=seed) for seed in (11, 12)]
    with pytest.raises(ZeroDivisionError), sink(tracker) as tracked:
        for one in both:
            tracked.begin(one, "one", {})
        raise ZeroDivisionError
    assert [run.info.status for one in both for run in runs(tracker, one)] == ["FAILED"] * 2


def test_a_trial_without_a_result_fails_and_the_other_finishes(
    tracker: Tracker, clips: Path, store: TrialStore
) -> None:
    lost, good = (make_trial(clips, seed=seed) for seed in (21, 22))
    with sink(tracker) as tracked:
        tracked.begin(lost, "lost", {})
        tracked.begin(good, "good", {})
        tracked.fail(lost, "no memory")
        tracked.end(good, leave(store, good), result())
    assert [run.info.status for run in runs(tracker, lost)] == ["FAILED"]
    assert [run.info.status for run in runs(tracker, good)] == ["FINISHED"]


def test_the_same_trial_has_a_run_in_each_study(
    tracker: Tracker, trial: Trial, store: TrialStore
) -> None:
    folder = leave(store, trial)
    for study in ("cross-validation", "ablation"):
        with sink(tracker, study) as tracked:
            tracked.begin(trial, study, {})
            tracked.end(trial, folder, result())
    names = {run.info.run_name for run in runs(tracker, trial)}
    assert names == {"cross-validation", "ablation"}
