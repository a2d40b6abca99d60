"""Searches in small: their notes, settings and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.entities import Run
from rich.console import Console

from notedecay.core.config import Range, Search
from notedecay.data.note import Clip
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.serial import SerialRunner
from notedecay.experiments.search.sampler import Plan
from notedecay.experiments.search.search import Notes, Resources, Study, rows, search
from notedecay.experiments.search.storage import SharedStudy
from notedecay.experiments.store import TrialStore
from notedecay.models import Signal
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
    values: dict[str, Any] = {
        "spaces": {"lstm": SPACE}, "startup": 1, "window": 1, "objectives": ["score"],
        "epochs": 24, "trial_seconds": None, "check_every": 8, "warmup_checks": 0,
        "patience": None, "finalists": 1, "folds": 2, "seeds": 0,
        "device": "cpu", "workers": 1, "gpus_per_trial": 1.0,
    }  # fmt: skip
    return Search(trials=trials, **values | changed)


def study_of(name: str, config: Search, notes: Notes, seed: int = 3) -> Study:
    plan = Plan(
        seed, config.window, config.spaces, config.startup, objectives=tuple(config.objectives)
    )
    return Study(name, config, notes, plan)


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
) -> list[dict[str, Any]]:
    """Search with a store and a database in a folder; give the rows of its trials."""
    store = TrialStore(folder / "trials")
    study = study_of(name, config(trials, **given.pop("config", {})), notes, given.pop("seed", 3))
    runner = given.pop("runner", SerialRunner(store, "cpu"))
    with SharedStudy(name, folder, ["maximize"]) as shared:
        bars = given.pop("bars", Counted())
        return rows(search(study, Resources(shared, store, runner, tracker, bars)))


def runs(tracker: Tracker, name: str) -> tuple[Run, list[Run]]:
    """The run of a study, and those below it in the order of the trials."""
    study = tracker.find("notedecay.study", name, "study")
    assert study is not None
    below = tracker.client.search_runs(
        [tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{study.info.run_id}'"
    )
    return study, sorted(below, key=lambda run: int(run.data.tags["notedecay.trial_number"]))
