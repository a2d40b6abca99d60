"""A search with real runs: every trial counts once, and can be seen and heard."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import mlflow
import optuna
import pytest
from mlflow.entities import Run

from notedecay.core.config import Range, Search
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.experiments.search.objective import Best, Notes, Observer, search
from notedecay.models import Signal, create
from notedecay.models.recurrent.lstm import Lstm
from notedecay.tracking.runs import Tracker
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.selection import OnEpoch, Selected
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
def notes() -> Notes:
    panels = {
        "seen": EvaluationSet(LOUD, SIGNAL.prime_samples),
        "validation": EvaluationSet([SOFT], SIGNAL.prime_samples),
    }
    return Notes(LOUD, panels, 1, SIGNAL)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory) -> Tracker:
    return Tracker(tmp_path_factory.mktemp("store") / "mlruns", "bells", {"seed": "3"})


class Counted(Observer):
    def __init__(self) -> None:
        self.trials: list[tuple[int, int]] = []
        self.epochs: list[int] = []

    def trial(self, number: int, of: int, name: str) -> None:  # noqa: ARG002
        self.trials.append((number, of))

    def epoch(self, number: int, of: int, metrics: Any) -> None:  # noqa: ARG002
        self.epochs.append(number)


def runs(tracker: Tracker, name: str) -> tuple[Run, list[Run]]:
    """The run of a study, and those below it in the order of the trials."""
    study = tracker.find("notedecay.study", name, "study")
    assert study is not None
    below = tracker.client.search_runs(
        [tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{study.info.run_id}'"
    )
    return study, sorted(below, key=lambda run: int(run.data.tags["notedecay.trial"]))


@pytest.fixture(scope="module")
def searched(notes, tracker, tmp_path_factory):
    """A search of one trial, then of three."""
    database = tmp_path_factory.mktemp("resumed") / "optuna.db"
    observers = [Counted(), Counted(), Counted()]
    found = [
        search(
            "resumed", config(trials), notes,
            seed=3, database=database, tracker=tracker, observer=observer,
        )
        for trials, observer in zip((1, 3, 3), observers, strict=True)
    ]  # fmt: skip
    return found, observers


def test_a_longer_search_goes_on_and_repeats_nothing(searched):
    (one, three, _), observers = searched
    assert [o.trials for o in observers] == [[(1, 1)], [(2, 3), (3, 3)], []]
    assert [len(o.epochs) for o in observers] == [24, 48, 0]
    assert three.trials[:1] == one.trials
    assert len({row["lstm.learning_rate"] for row in three.trials}) == 3


def test_the_best_complete_trial_is_found(searched):
    (_, best, again), _ = searched
    assert best == again
    top = max(best.trials, key=lambda row: row["score"])
    assert best.continuator == "lstm"
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
        return search(
            f"whole {seed}", config(trials), notes,
            seed=seed, database=tmp_path / f"{seed}.db", tracker=tracker, observer=Observer(),
        )  # fmt: skip

    assert whole(3, 3) == searched[0][1]
    assert whole(4, 1).trials != searched[0][0].trials


def test_the_study_is_the_parent_of_its_trials(searched, tracker):
    best = searched[0][1]
    study, trials = runs(tracker, "resumed")
    assert study.data.tags["notedecay.kind"] == "study"
    assert study.data.metrics["trials"] == 3.0
    assert study.data.metrics["best.score"] == best.score
    assert [run.data.tags["notedecay.trial"] for run in trials] == ["0", "1", "2"]
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
    assert {"seen.score", "validation.score", "kept.epoch"} <= set(run.data.metrics)
    files = tracker.client.list_artifacts(run.info.run_id, "listen/validation/bells.pp.170")
    assert {Path(file.path).name for file in files} == {
        "original.wav", "with_prime.wav", "without_prime.wav", "picture.png",
    }  # fmt: skip


def test_a_trial_keeps_scores_of_each_epoch_and_sounds(searched, tracker):
    best = searched[0][1]
    for run, row in zip(runs(tracker, "resumed")[1], best.trials, strict=True):
        history = tracker.client.get_metric_history(run.info.run_id, "look.score")
        looks = {m.step: m.value for m in history}
        assert looks.keys() == {8, 16, 24}
        assert run.data.metrics["validation.score"] == max(looks.values()) == row["score"]
        assert run.data.tags["notedecay.outcome"] == "complete"
        assert_can_be_heard(tracker, run)


@pytest.fixture
def pruned(monkeypatch):
    """The second trial is pruned at its first look."""
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.number == 1)


@pytest.mark.usefixtures("pruned")
def test_a_pruned_trial_counts_and_can_be_heard(notes, tracker, tmp_path):
    observer = Counted()
    best = search(
        "pruned", config(2), notes,
        seed=3, database=tmp_path / "optuna.db", tracker=tracker, observer=observer,
    )  # fmt: skip
    assert observer.epochs == [*range(1, 25), *range(1, 9)]
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
    best = search(
        "diverging", config(2), notes,
        seed=3, database=tmp_path / "optuna.db", tracker=tracker, observer=Observer(),
    )  # fmt: skip
    assert [(row["state"], row["score"]) for row in best.trials] == [("complete", 0.0)] * 2
    _, trials = runs(tracker, "diverging")
    assert {run.info.status for run in trials} == {"FINISHED"}
    assert "training diverged in epoch 1" in trials[0].data.tags["notedecay.outcome"]


def test_a_search_without_a_complete_trial_says_so(notes, tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda _: True)
    with pytest.raises(UserError, match=r"no trial of all pruned ran to its end; raise search\.t"):
        search(
            "all pruned", config(1), notes,
            seed=3, database=tmp_path / "optuna.db", tracker=tracker, observer=Observer(),
        )  # fmt: skip


class Curves:
    """Stands for the fit: the trials of a search get these scores at epochs 8, 16 and 24."""

    def __init__(self, *curves: list[float]) -> None:
        self.curves = list(curves)

    def __call__(self, continuator: Any, *_: Any, on_epoch: OnEpoch, **__: Any) -> Selected:
        assert continuator.config.epochs == 24
        curve = self.curves.pop(0)
        for epoch, score in zip((8, 16, 24), curve, strict=True):
            if on_epoch(epoch, {"look.score": score}):
                return Selected(create("silence", SIGNAL, {}), epoch, score, [], "pruned")
        return Selected(create("silence", SIGNAL, {}), 24, curve[-1], [], "complete")


def search_curves(
    name: str, notes: Notes, tracker: Tracker, database: Path, trials: int, **changed: Any
) -> Best:
    few = Notes(notes.train, {"validation": notes.panels["validation"]}, 1, SIGNAL)
    return search(
        name, config(trials, **changed), few,
        seed=3, database=database, tracker=tracker, observer=Observer(),
    )  # fmt: skip


def level(*scores: float) -> Curves:
    """Trials whose score is the same at every epoch."""
    return Curves(*([score] * 3 for score in scores))


@pytest.fixture
def fits(monkeypatch):
    """Makes trials follow curves, without sounds and pictures."""

    def follow(curves: Curves) -> None:
        monkeypatch.setattr("notedecay.experiments.search.objective.fit_selected", curves)
        monkeypatch.setattr("notedecay.experiments.search.objective.log_listening", lambda *_: None)

    return follow


def test_the_best_trial_is_the_highest_wherever_it_comes(notes, tracker, tmp_path, fits):
    fits(level(0.3, 0.9, 0.5))
    best = search_curves("middle", notes, tracker, tmp_path / "optuna.db", 3, warmup_checks=3)
    assert [row["score"] for row in best.trials] == [0.3, 0.9, 0.5]
    assert (best.score, best.run_name) == (0.9, "trial 1 lstm")
    row = best.trials[1]
    assert best.settings["learning_rate"] == row["lstm.learning_rate"]
    assert best.settings["units"] == row["lstm.units"]
    shorter = search_curves("middle", notes, tracker, tmp_path / "optuna.db", 1, warmup_checks=3)
    assert (shorter.score, shorter.run_name, len(shorter.trials)) == (0.3, "trial 0 lstm", 1)


def test_a_poor_trial_is_pruned_where_the_warm_up_ends(notes, tracker, tmp_path, fits):
    curves = Curves([0.4] * 3, [0.5] * 3, [0.6] * 3, [0.1] * 3, [0.1, 0.7, 0.8])
    fits(curves)
    best = search_curves("poor", notes, tracker, tmp_path / "optuna.db", 5, warmup_checks=2)
    assert [row["state"] for row in best.trials] == ["complete"] * 3 + ["pruned", "complete"]
    assert best.score == 0.8
    history = tracker.client.get_metric_history(
        runs(tracker, "poor")[1][3].info.run_id, "look.score"
    )
    assert [metric.step for metric in history] == [8, 16]


def test_a_trial_that_has_come_to_its_end_is_not_pruned(notes, tracker, tmp_path, fits):
    fits(level(0.4, 0.5, 0.6, 0.1))
    best = search_curves("ends", notes, tracker, tmp_path / "optuna.db", 4, warmup_checks=3)
    assert [row["state"] for row in best.trials] == ["complete"] * 4


def test_the_search_sets_the_epochs_of_its_trials(notes, tracker, tmp_path, fits):
    """Whatever the space says: scores of unlike lengths cannot be compared."""
    fits(level(0.5))
    space = {"lstm": SPACE | {"epochs": 99}}
    best = search_curves("epochs", notes, tracker, tmp_path / "optuna.db", 1, spaces=space)
    assert best.settings["epochs"] == 24


@pytest.mark.usefixtures("pruned")
def test_a_pruned_trial_is_never_the_best(notes, tracker, tmp_path, fits):
    fits(level(0.3, 0.9))
    best = search_curves("cut short", notes, tracker, tmp_path / "optuna.db", 2)
    assert [row["state"] for row in best.trials] == ["complete", "pruned"]
    assert (best.score, best.run_name) == (0.3, "trial 0 lstm")
