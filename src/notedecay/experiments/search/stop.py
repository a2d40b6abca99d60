"""When a search is over: a number of trials, or no gain beyond the noise for many of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from notedecay.experiments.search.paired import (
    LEVEL,
    chance_of_deficit,
    complete,
    least_chance,
    mean_score,
    selected_scores,
)
from notedecay.experiments.search.sampler import Plan


@dataclass(frozen=True)
class Length:
    """How many slots a study has, by what is over.

    Attributes
    ----------
    slots : int
        Their number.
    reason : str or None
        Why there are fewer than were asked for; None while there are not.
    """

    slots: int
    reason: str | None


def length(
    plan: Plan, over: Mapping[int, FrozenTrial], *, trials: int, patience: int | None
) -> Length:
    """Find how many slots a study has.

    A trial gains if it is better, note by note, than the last one that gained, beyond chance. Small
    gains add up until they do. Once as many trials in a row have not gained as ``patience`` says,
    no slot begins that knows of them. The number of slots depends on the trials alone, not on who
    worked when.

    Parameters
    ----------
    plan : Plan
        Of the study.
    over : mapping of int to FrozenTrial
        Trials that are over, by slot.
    trials : int
        Slots asked for.
    patience : int or None
        Complete or pruned trials in a row without a gain; they count from the moment at which
        every model has had its share. None: the number of trials alone counts. With several
        objectives it is the score that gains.

    Returns
    -------
    Length
        ``trials`` or fewer. Once fewer, it does not change with further trials.
    """
    if patience is None:
        return Length(trials, None)
    share = plan.startup * len(plan.spaces)
    best: FrozenTrial | None = None
    waited = slot = 0
    while slot in over:
        trial = over[slot]
        if complete([trial]) and (best is None or _gains(trial, best, patience)):
            best, waited = trial, 0
        elif slot >= share:
            waited += trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        if best is not None and waited >= patience and slot + plan.window < trials:
            return Length(slot + plan.window, _reason(patience, best))
        slot += 1
    return Length(trials, None)


def _gains(trial: FrozenTrial, best: FrozenTrial, patience: int) -> bool:
    """Whether a trial is better beyond chance, also as the luckiest of so many."""
    notes = selected_scores(best)
    level = max(LEVEL / patience, least_chance(len(notes)))
    return chance_of_deficit(notes, selected_scores(trial)) <= level


def _reason(patience: int, best: FrozenTrial) -> str:
    attributes = best.user_attrs
    return (
        f"no gain beyond chance in {patience} trials over trial {attributes['slot']} "
        f"({attributes['model']}, {mean_score(best):.3f})"
    )
