"""Pruning: a trial is ended when it is worse than the leaders of the search beyond chance.

The rule is plain data. It travels with the trial to any worker and decides there, from the trial's
own scores alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from notedecay.core.config import Search
from notedecay.experiments.search.paired import (
    LEVEL,
    chance_of_deficit,
    leaders,
    least_chance,
    scores_at,
)
from notedecay.experiments.search.sampler import Plan, Point, prefix


@dataclass(frozen=True)
class PruneRule:
    """When a trial is ended.

    Attributes
    ----------
    reference : mapping of int to tuple of float
        Score of each validation note by epoch, mean of the leaders; None for a note without.
    looks : tuple of int
        Epochs after which the trial may be ended.
    level : float
        Of the test at one look, 0..1.
    """

    reference: Mapping[int, tuple[float | None, ...]]
    looks: tuple[int, ...]
    level: float

    def ends(self, scores: Mapping[int, Sequence[float | None]]) -> bool:
        """Whether a trial is ended now.

        It is, if it is worse than the reference beyond chance at this evaluation and at the one
        before. A single evaluation may be bad luck for all notes at once, against which a test
        over notes is no help.

        Parameters
        ----------
        scores : mapping of int to sequence of float
            Score of each validation note at all evaluations so far, by epoch.
        """
        evaluated = sorted(self.reference)
        now = max(scores, default=0)
        if now not in self.looks:
            return False
        before = evaluated[evaluated.index(now) - 1]
        return before in scores and all(
            chance_of_deficit(scores[epoch], self.reference[epoch]) <= self.level
            for epoch in (now, before)
        )

    def plain(self) -> dict[str, Any]:
        """The rule as JSON has it; :meth:`of` reads it."""
        reference = {str(epoch): list(notes) for epoch, notes in self.reference.items()}
        return {"reference": reference, "looks": list(self.looks), "level": self.level}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> PruneRule:
        """The rule of :meth:`plain`."""
        reference = {int(epoch): tuple(notes) for epoch, notes in plain["reference"].items()}
        return cls(reference, tuple(plain["looks"]), plain["level"])


def rule_for(
    plan: Plan, point: Point, over: Mapping[int, FrozenTrial], config: Search
) -> PruneRule | None:
    """The rule for the trial of a slot; like its point it depends on the prefix alone.

    Parameters
    ----------
    plan : Plan
        Of the study.
    point : Point
        Of the slot.
    over : mapping of int to FrozenTrial
        Trials that are over, by slot.
    config : Search
        Epochs, evaluations, and how many evaluations a trial has before it may be ended.

    Returns
    -------
    PruneRule or None
        None for a trial that is not ended: one of its model's share, one of a search with several
        objectives (a poor score may be a fair price for low cost), one before which no trial was
        complete, and where the notes are too few for any difference to be beyond chance.
    """
    if point.share or plan.objectives != ("score",):
        return None
    return rule_from(prefix(plan, point.slot, over), config)


def rule_from(trials: Sequence[FrozenTrial], config: Search) -> PruneRule | None:
    """The rule that trials which are over make for one that begins, if any does.

    The reference is the mean of the best complete trial and all that are not worse beyond chance.
    The best alone is the luckiest of many equals, which would end its equals too often.

    The level is divided by the number of looks (Bonferroni), so that a trial as good as the
    reference is ended with a probability of at most :data:`~.paired.LEVEL`. Where notes are so few
    that no difference could reach such a level, there are fewer looks, the earliest ones.
    """
    evaluated = evaluations(config)
    reference = _reference(leaders(trials), evaluated)
    if reference is None:
        return None
    notes = min(sum(score is not None for score in row) for row in reference.values())
    # The end of a trial is no look, and the first evaluation has none before it.
    possible = evaluated[max(1, config.warmup_checks - 1) : -1]
    looks = possible[: int(LEVEL / least_chance(notes))]
    return PruneRule(reference, tuple(looks), LEVEL / len(looks)) if looks else None


def evaluations(config: Search) -> list[int]:
    """Epochs of a trial after which it is evaluated: every few, and the last."""
    return sorted({*range(config.check_every, config.epochs, config.check_every), config.epochs})


def _reference(
    best: Sequence[FrozenTrial], evaluated: Sequence[int]
) -> dict[int, tuple[float | None, ...]] | None:
    """Mean of the trials that have every evaluation: one that diverged lacks some."""
    keys = {str(epoch) for epoch in evaluated}
    whole = [trial for trial in best if keys <= trial.user_attrs["scores"].keys()]
    if not whole:
        return None
    means = {
        epoch: np.mean([scores_at(trial, epoch) for trial in whole], axis=0) for epoch in evaluated
    }
    return {
        epoch: tuple(float(v) if np.isfinite(v) else None for v in row)
        for epoch, row in means.items()
    }
