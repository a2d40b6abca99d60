"""A search with real runs: every trial counts once, and can be seen and heard."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mlflow
import optuna
import pytest
from mlflow.entities import Run
from rich.console import Console

from notedecay.core.config import Range, Search
from notedecay.core.errors import UserError
from notedecay.core.tables import write_json
from notedecay.data.clips import read_clips, write_clips
from notedecay.data.note import Clip
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.base import Runner
from notedecay.experiments.runners.serial import SerialRunner
from notedecay.experiments.search.objective import Best, Notes, search
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import RESULT, Trial
from notedecay.models import Signal
from notedecay.models.recurrent.lstm import Lstm
from notedecay.tracking.runs import Tracker
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)
SOUNDS = {f: damped([f], [1.0], seconds=1.2, rate=RATE) for f in (150, 170)}
LOUD = [Clip(f"bells/ff/{f}", f, sound, RATE) for f, sound in SOUNDS.items()]
SOFT = Clip("bells/pp/170", 170, SOUNDS[170] / 4, RATE)
SPACE = {
    "units": [16, 32],
    "learning_rate": Range(low=0.01, high=0.05, log=True),
    "resolution": 40,
    "transpose": 0,
    "batch": 1,
}


def config(trials: int, **changed: Any) -> Search:
    values = {"epochs": 24, "check_every": 8, "warmup_checks": 0, "device": "cpu"}
    return Search(trials=trials, **{"spaces": {"lstm": SPACE}} | values | changed)


@pytest.fixture(scope="module")
def notes(tmp_path_factory) -> Notes:
    path = tmp_path_factory.mktemp("clips") / "clips.npz"
    write_clips([*LOUD, SOFT], path)
    parts = {"train": [clip.id for clip in LOUD], "validation": [SOFT.id], "test": []}
    return Notes(Dataset(SIGNAL, read_clips(path), parts, path), seen=2, listen=1)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory) -> Tracker:
    return Tracker(tmp_path_factory.mktemp("store") / "mlruns", "bells", {"seed": "3"})


class Counted(TrialBars):
    """Notes what is drawn."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.totals: list[tuple[int, int]] = []
        self.names: list[str] = []
        self.epochs: list[int] = []

    def total(self, done: int, of: int) -> None:
        self.totals.append((done, of))

    def epoch(self, name: str, number: int, of: int, note: str | None) -> None:  # noqa: ARG002
        self.epochs.append(number)

    def end(self, name: str) -> None:
        self.names.append(name)


def run_search(
    name: str, trials: int, notes: Notes, tracker: Tracker, folder: Path, **given: Any
) -> Best:
    """Search with a store and a database in a folder."""
    store = TrialStore(folder / "trials")
    return search(
        name,
        config(trials, **given.pop("config", {})),
        notes,
        seed=given.pop("seed", 3),
        database=folder / "optuna.db",
        store=store,
        runner=given.pop("runner", SerialRunner(store, "cpu")),
        tracker=tracker,
        bars=given.pop("bars", Counted()),
    )


def runs(tracker: Tracker, name: str) -> tuple[Run, list[Run]]:
    """The run of a study, and those below it in the order of the trials."""
    study = tracker.find("notedecay.study", name, "study")
    assert study is not None
    below = tracker.client.search_runs(
        [tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{study.info.run_id}'"
    )
    return study, sorted(below, key=lambda run: int(run.data.tags["notedecay.trial_number"]))


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


def assert_can_be_heard(tracker: Tracker, run: Run) -> None:
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
        assert_can_be_heard(tracker, run)


@pytest.fixture
def pruned(monkeypatch):
    """The second trial is pruned at its first look."""
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.number == 1)


@pytest.mark.usefixtures("pruned")
def test_a_pruned_trial_counts_and_can_be_heard(notes, tracker, tmp_path):
    bars = Counted()
    best = run_search("pruned", 2, notes, tracker, tmp_path, bars=bars)
    assert bars.epochs == [*range(1, 25), *range(1, 9)]
    assert [row["state"] for row in best.trials] == ["complete", "pruned"]
    assert best.score == best.trials[0]["score"]
    run = runs(tracker, "pruned")[1][1]
    assert run.info.status == "FINISHED"
    assert run.data.tags["notedecay.outcome"] == "pruned"
    assert_can_be_heard(tracker, run)


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


def test_a_search_without_a_complete_trial_says_so(notes, tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda _: True)
    with pytest.raises(UserError, match=r"no trial of all pruned ran to its end; raise search\.t"):
        run_search("all pruned", 1, notes, tracker, tmp_path)


class Curves(Runner):
    """Runs no trial: those of a search get these scores at epochs 8, 16 and 24."""

    def __init__(self, store: TrialStore, *curves: list[float]) -> None:
        self.store, self.curves = store, list(curves)

    def run(self, trials: Iterable[Trial], on_epoch: Any, on_end: Any) -> None:
        for trial in trials:
            assert trial.settings["epochs"] == 24
            history: list[dict[str, float]] = []
            ended = "complete"
            for epoch, score in zip((8, 16, 24), self.curves.pop(0), strict=True):
                history.append({"epoch": epoch, "checkpoint.score": score})
                if on_epoch(trial, epoch, 24, history[-1]):
                    ended = "pruned"
                    break
            result = {
                "ended": ended, "score": history[-1]["checkpoint.score"], "history": history,
                "epoch": history[-1]["epoch"], "device": "cpu", "figures": {},
            }  # fmt: skip
            write_json(result, self.store.folder(trial) / RESULT)
            on_end(trial, None)


def search_curves(
    name: str, notes: Notes, tracker: Tracker, folder: Path, *curves: list[float], **changed: Any
) -> Best:
    silent = Notes(notes.dataset, seen=1, listen=0)
    trials = changed.pop("trials", len(curves))
    runner = Curves(TrialStore(folder / "trials"), *curves)
    return run_search(name, trials, silent, tracker, folder, runner=runner, config=changed)


def level(*scores: float) -> list[list[float]]:
    """Trials whose score is the same at every epoch."""
    return [[score] * 3 for score in scores]


def test_the_best_trial_is_the_highest_wherever_it_comes(notes, tracker, tmp_path):
    curves = level(0.3, 0.9, 0.5)
    best = search_curves("middle", notes, tracker, tmp_path, *curves, warmup_checks=3)
    assert [row["score"] for row in best.trials] == [0.3, 0.9, 0.5]
    assert (best.score, best.run_name) == (0.9, "trial 1 lstm")
    row = best.trials[1]
    assert best.settings["learning_rate"] == row["lstm.learning_rate"]
    assert best.settings["units"] == row["lstm.units"]
    shorter = search_curves("middle", notes, tracker, tmp_path, trials=1, warmup_checks=3)
    assert (shorter.score, shorter.run_name, len(shorter.trials)) == (0.3, "trial 0 lstm", 1)


def test_a_poor_trial_is_pruned_where_the_warm_up_ends(notes, tracker, tmp_path):
    curves = [*level(0.4, 0.5, 0.6, 0.1), [0.1, 0.7, 0.8]]
    best = search_curves("poor", notes, tracker, tmp_path, *curves, warmup_checks=2)
    assert [row["state"] for row in best.trials] == ["complete"] * 3 + ["pruned", "complete"]
    assert best.score == 0.8
    history = tracker.client.get_metric_history(
        runs(tracker, "poor")[1][3].info.run_id, "checkpoint.score"
    )
    assert [metric.step for metric in history] == [8, 16]


def test_a_trial_that_has_come_to_its_end_is_not_pruned(notes, tracker, tmp_path):
    curves = level(0.4, 0.5, 0.6, 0.1)
    best = search_curves("ends", notes, tracker, tmp_path, *curves, warmup_checks=3)
    assert [row["state"] for row in best.trials] == ["complete"] * 4


def test_the_search_sets_the_epochs_of_its_trials(notes, tracker, tmp_path):
    """Whatever the space says: scores of unlike lengths cannot be compared."""
    space = {"lstm": SPACE | {"epochs": 99}}
    best = search_curves("epochs", notes, tracker, tmp_path, *level(0.5), spaces=space)
    assert best.settings["epochs"] == 24


@pytest.mark.usefixtures("pruned")
def test_a_pruned_trial_is_never_the_best(notes, tracker, tmp_path):
    best = search_curves("cut short", notes, tracker, tmp_path, *level(0.3, 0.9))
    assert [row["state"] for row in best.trials] == ["complete", "pruned"]
    assert (best.score, best.run_name) == (0.3, "trial 0 lstm")


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
