"""A search of trials with given scores: which are pruned, and which is the best."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from notedecay.core.tables import write_json
from notedecay.experiments.runners.base import Runner
from notedecay.experiments.search.objective import Best, Notes
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import RESULT, Trial
from notedecay.tracking.runs import Tracker
from tests.experiments.search.searches import SPACE, run_search, runs


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
