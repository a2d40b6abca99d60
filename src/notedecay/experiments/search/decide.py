"""The decision of a search: its best trials compared on folds, and what is beyond chance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial

from notedecay.core.errors import UserError
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.search.choice import Choice, choose, finalists
from notedecay.experiments.search.finals import fold_scores, fold_trials, name_of
from notedecay.experiments.search.paired import mean_score
from notedecay.experiments.search.pareto import table
from notedecay.experiments.search.search import STUDY, Resources, Study
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.trial import Trial
from notedecay.tracking.runs import ActiveRun

Scores = dict[str, list[float]]
"""Score of each note of the folds, by finalist."""


@dataclass(frozen=True)
class Best:
    """The result of a search.

    Attributes
    ----------
    model : str
        Its name.
    settings : dict
        Its settings.
    line : str
        The choice in words: between which trials, by how much, and whether it is beyond chance.
    finalists : list of dict
        Trial, model, score on the validation notes and on the folds, cost, whether chosen.
    pareto : list of dict
        Of each complete trial: score, calibration, cost, and whether it is on the front.
    """

    model: str
    settings: dict[str, Any]
    line: str
    finalists: list[dict[str, Any]]
    pareto: list[dict[str, Any]]


def decide(study: Study, over: Mapping[int, FrozenTrial], resources: Resources) -> Best:
    """Choose among the best trials by folds of the train and validation notes.

    Parameters
    ----------
    study : Study
        Searched.
    over : mapping of int to FrozenTrial
        Its finished trials.
    resources : Resources
        The shared study keeps the scores of the folds, so that they are made once.

    Raises
    ------
    UserError
        No trial is complete, or a training of the final choice failed.
    """
    best = finalists(list(over.values()), study.config.finalists)
    if not best:
        raise _no_complete_trial(study.name, over)
    tracker = resources.tracker
    run = tracker.find(STUDY, study.name, "study")
    assert run is not None, "the search has made it"
    with tracker.resume(run.info.run_id) as active:
        scores = _scores(best, study, resources, active.id)
        choice = _choice(best, scores)
        rows = _rows(best, scores, choice)
        pareto = table(list(over.values()), study.plan.objectives)
        _log(active, choice, rows, pareto)
    chosen = next(trial for trial in best if name_of(trial) == choice.name)
    settings = {**chosen.user_attrs["settings"], "epochs": study.config.epochs}
    return Best(chosen.user_attrs["model"], settings, choice.line, rows, pareto)


def _scores(best: Sequence[FrozenTrial], study: Study, resources: Resources, parent: str) -> Scores:
    """Score of each note on the fold that has not seen it; none for a lone finalist."""
    if len(best) == 1:
        return {}
    config, shared, store = study.config, resources.shared, resources.store
    share = len(study.notes.dataset.part("validation")) / len(study.notes.dataset.clips)
    trials = fold_trials(
        best, study.notes.dataset, config,
        count=config.folds, validation=share, seed=study.plan.seed,
    )  # fmt: skip
    key = _key(trials)
    kept = shared.attribute("final choice")
    if kept and kept["key"] == key:
        scores: Scores = kept["scores"]
        return scores
    listed = [
        Listed(trial, f"{name}, fold {number}", {}, parent)
        for name, each in trials.items()
        for number, trial in enumerate(each, start=1)
    ]
    resources.bars.total(0, len(listed))
    resources.bars.summarise("final choice")
    sink = TrialSink(resources.tracker, "fold", f"{study.name} final choice")
    for failed, fault in run_trials(listed, resources.runner, store, sink, resources.bars).items():
        raise UserError(f"{failed}: {fault.line}")
    scores = {
        name: fold_scores([store.result(trial) for trial in each]) for name, each in trials.items()
    }
    shared.keep("final choice", {"key": key, "scores": scores})
    for one in listed:
        store.remove(one.trial)
    return scores


def _choice(best: Sequence[FrozenTrial], scores: Scores) -> Choice:
    costs = {name_of(trial): trial.user_attrs["cost"] for trial in best}
    if not scores:
        only = best[0]
        own = only.user_attrs["scores"][str(only.user_attrs["selected_epoch"])]
        scores = {name_of(only): own}
    return choose(scores, costs)


def _rows(best: Sequence[FrozenTrial], scores: Scores, choice: Choice) -> list[dict[str, Any]]:
    return [
        {
            "trial": trial.user_attrs["slot"],
            "model": trial.user_attrs["model"],
            "validation": mean_score(trial),
            "folds": _mean(scores.get(name_of(trial))),
            "cost": trial.user_attrs["cost"],
            "chosen": "yes" if name_of(trial) == choice.name else "no",
        }
        for trial in best
    ]


def _mean(values: Sequence[float] | None) -> float | None:
    known = [value for value in values or () if value == value]
    return sum(known) / len(known) if known else None


def _log(
    run: ActiveRun, choice: Choice, rows: list[dict[str, Any]], pareto: list[dict[str, Any]]
) -> None:
    run.metrics({"best.score": choice.score.mean, "best.score_low": choice.score.low,
                 "best.score_high": choice.score.high,
                 "best.beyond_chance": float(choice.beyond_chance)})  # fmt: skip
    run.tag({"notedecay.best_trial": choice.name, "notedecay.choice": choice.line})
    run.table(rows, "finalists.csv")
    run.table(pareto, "pareto.csv")


def _key(trials: Mapping[str, Sequence[Trial]]) -> str:
    text = "\n".join(
        f"{name} {trial.fingerprint}" for name, each in trials.items() for trial in each
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _no_complete_trial(study: str, over: Mapping[int, FrozenTrial]) -> UserError:
    reasons = [t.user_attrs["reason"] for t in over.values() if "reason" in t.user_attrs]
    if reasons:
        return UserError(
            f"no trial of {study} ran to its end; {len(reasons)} of {len(over)} failed, the first: "
            f"{reasons[0]}"
        )
    return UserError(
        f"no trial of {study} ran to its end; raise search.trials or search.warmup_checks"
    )
