"""Studies: repeatable, resumable, none repeated, none lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import optuna
import pytest

from notedecay.core.config import Range
from notedecay.experiments.search.space import suggest
from notedecay.experiments.search.study import (
    ask_until,
    finished,
    open_study,
    requeue,
    study_name,
)
from notedecay.models import Signal, create


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1.0, 1.0)
    return -(x**2)


def search(database, trials: int, seed: int = 7) -> list[dict[str, float]]:
    study = open_study("s", database, 0)
    for trial in ask_until(study, trials, seed):
        study.tell(trial, objective(trial))
    return [t.params for t in finished(study)]


def test_the_same_seed_gives_the_same_trials(tmp_path):
    first = search(tmp_path / "a.db", 8)
    assert search(tmp_path / "b.db", 8) == first
    assert search(tmp_path / "c.db", 8, seed=8) != first


def test_a_resumed_study_goes_on_as_if_never_interrupted(tmp_path):
    whole = search(tmp_path / "a.db", 9)
    for trials in (2, 3, 7, 9):
        resumed = search(tmp_path / "b.db", trials)
    assert resumed == whole
    assert len({p["x"] for p in resumed}) == 9


def test_an_interrupted_trial_is_run_again_with_the_same_settings(tmp_path):
    whole = search(tmp_path / "a.db", 4)
    study = open_study("s", tmp_path / "b.db", 0)

    for trial in ask_until(study, 4, 7):
        value = objective(trial)
        if len(finished(study)) == 2:
            requeue(study, trial)
            break
        study.tell(trial, value)
    assert search(tmp_path / "b.db", 4) == whole


def test_a_killed_trial_is_run_again_with_the_same_settings(tmp_path):
    """A real process, killed by SIGKILL within its third trial."""
    program = f"""
        import os, signal
        from pathlib import Path
        from notedecay.experiments.search.study import ask_until, finished, open_study
        study = open_study("s", Path({str(tmp_path / "b.db")!r}), 0)
        def objective(trial):
            x = trial.suggest_float("x", -1.0, 1.0)
            if len(finished(study)) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return -(x**2)
        for trial in ask_until(study, 4, 7):
            study.tell(trial, objective(trial))
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert killed.returncode == -9
    assert search(tmp_path / "b.db", 4) == search(tmp_path / "a.db", 4)
    states = [t.state.name for t in open_study("s", tmp_path / "b.db", 0).trials]
    assert sorted(states) == ["COMPLETE"] * 4 + ["FAIL"]


def steps_to_prune_at(study: optuna.Study, value: float) -> list[int]:
    """Steps of eight at which a trial that reports a value all along would be pruned."""
    trial = study.ask()
    found = []
    for step in range(1, 9):
        trial.report(value, step)
        if trial.should_prune():
            found.append(step)
    study.tell(trial, value)
    return found


def test_a_trial_under_the_median_is_pruned_after_the_warm_up(tmp_path):
    study = open_study("s", tmp_path / "a.db", warmup_epochs=4)
    assert [steps_to_prune_at(study, value) for value in (0.5, 0.4, 0.6)] == [[], [], []]
    assert steps_to_prune_at(study, 0.1) == [4, 5, 6, 7, 8]
    assert steps_to_prune_at(study, 0.9) == []


@pytest.mark.parametrize("warmup", [0, 7, 9])
def test_no_trial_is_pruned_during_the_warm_up(tmp_path, warmup):
    study = open_study("s", tmp_path / "a.db", warmup_epochs=warmup)
    for value in (0.5, 0.4, 0.6):
        steps_to_prune_at(study, value)
    assert steps_to_prune_at(study, 0.1) == list(range(max(1, warmup), 9))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sampling_favours_good_regions_after_four_random_trials(seed):
    """At random the mean of twenty is 0, give or take 0.13."""
    suggested = {}
    for sign in (1, -1):
        study = optuna.create_study(direction="maximize")
        for trial in ask_until(study, 24, seed):
            study.tell(trial, sign * trial.suggest_float("x", -1.0, 1.0))
        suggested[sign] = [trial.params["x"] for trial in study.trials]
    assert suggested[1][:4] == suggested[-1][:4]
    assert sum(suggested[1][4:]) / 20 > 0.35
    assert sum(suggested[-1][4:]) / 20 < -0.35


def test_a_study_maximises(tmp_path):
    study = open_study("s", tmp_path / "a.db", 0)
    for trial, value in zip(ask_until(study, 3, 0), (0.1, 0.3, 0.2), strict=True):
        study.tell(trial, value)
    assert study.best_trial.number == 1


def test_names_change_with_what_makes_trials_incomparable():
    one = study_name("piano", space={"a": [1, 2]}, seed=1)
    assert one == study_name("piano", seed=1, space={"a": [1, 2]})
    assert one != study_name("piano", space={"a": [1, 3]}, seed=1)
    assert one.startswith("piano-")


def test_a_space_suggests_from_lists_ranges_and_values():
    spaces = {"lstm": {"units": [64, 128], "layers": 2}}
    name, settings = suggest(optuna.trial.FixedTrial({"lstm.units": 128}), spaces)
    assert (name, settings) == ("lstm", {"units": 128, "layers": 2})


def test_several_models_are_a_choice_too():
    spaces = {"lstm": {"units": [64, 128]}, "esprit": {"order": [8, 48]}}
    trial = optuna.trial.FixedTrial({"model": "esprit", "esprit.order": 48})
    assert suggest(trial, spaces) == ("esprit", {"order": 48})


def test_a_range_of_a_whole_number_suggests_whole_numbers():
    spaces = {"lstm": {"units": Range(low=64, high=256), "input_noise": Range(low=0, high=0.5)}}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(5):
        _, settings = suggest(study.ask(), spaces)
        assert isinstance(settings["units"], int)
        assert isinstance(settings["input_noise"], float)
        create("lstm", Signal(instrument="x", rate=8000), settings)
