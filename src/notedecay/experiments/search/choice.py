"""The final choice among the best trials of a search, by notes that none of them has seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from notedecay.experiments.search.paired import leaders
from notedecay.metrics.bootstrap import Interval, bootstrap

ALIKE = 1.5
"""Factor within which costs count as equal; CPU times of one model vary by 1.2 or so."""


@dataclass(frozen=True)
class Choice:
    """Which finalist is taken, and how sure that is.

    Attributes
    ----------
    name : str
        Of the finalist.
    score : Interval
        Its mean score over the notes of all folds, 0..1, with the 95 % interval.
    runner_up : str or None
        The best of the others, among those within chance if there are any; None if there is no
        other.
    difference : Interval or None
        Mean score, minus that of the runner-up, note by note.
    beyond_chance : bool
        Whether it is better than each of the others beyond chance.
    line : str
        The choice in words.
    """

    name: str
    score: Interval
    runner_up: str | None
    difference: Interval | None
    beyond_chance: bool
    line: str


def finalists(trials: Sequence[FrozenTrial], most: int) -> list[FrozenTrial]:
    """The trials that the final choice is between.

    They are the best complete trial and those that are not worse on the validation notes beyond
    chance. Where they are too many, the best one of each model comes first, then the others by
    score: a sampler that narrows leaves many trials of one model with nearly the same settings,
    between which no number of notes decides.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that are over.
    most : int
        How many finalists there may be, 1 or more.

    Returns
    -------
    list of FrozenTrial
        The best by validation score first; empty if no trial is complete.
    """
    within = leaders(trials)
    models = [trial.user_attrs["model"] for trial in within]
    order = sorted(range(len(within)), key=lambda i: (models.index(models[i]) != i, i))
    return [within[i] for i in sorted(order[:most])]


def choose(scores: Mapping[str, Sequence[float]], costs: Mapping[str, float]) -> Choice:
    """Choose the best finalist; those within chance of it tie, and the cheapest of them is taken.

    Costs within a factor of :data:`ALIKE` of the lowest count as equal, and the score decides
    between them.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        Score of each note by finalist, the same notes in each; NaN for one without.
    costs : mapping of str to float
        CPU time per second of generated sound (s/s) by finalist.

    Returns
    -------
    Choice
        The same for the same values: resampling has a fixed seed.

    Examples
    --------
    >>> low, high = [0.1, 0.3, 0.2, 0.4] * 5, [0.2, 0.5, 0.4, 0.5] * 5
    >>> choose({"lru": low, "lstm": high}, {"lru": 0.01, "lstm": 0.1}).line
    'lstm beats lru by 0.150 (0.130 to 0.170) on 20 notes: beyond chance'
    """
    notes = {name: np.asarray(values, np.float64) for name, values in scores.items()}
    ranked = sorted(notes, key=lambda name: -_mean(notes[name]))
    tied = [n for n in ranked if n == ranked[0] or _difference(notes, ranked[0], n).by_chance]
    limit = ALIKE * min(costs[name] for name in tied)
    chosen = next(name for name in tied if costs[name] <= limit)
    score = bootstrap(notes[chosen])
    others = [n for n in tied if n != chosen] or [n for n in ranked if n != chosen]
    if not others:
        return Choice(chosen, score, None, None, False, f"{chosen} is the only finalist")
    # Of several equals the best leads the second best by less than one leads another, so that
    # the claim to beat them all needs no correction for their number.
    beyond = len(tied) == 1
    difference = _difference(notes, chosen, others[0])
    line = _line(notes, costs, chosen, others[0], beyond=beyond)
    return Choice(chosen, score, others[0], difference, beyond, line)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else -math.inf


def _difference(notes: Mapping[str, NDArray[np.float64]], one: str, other: str) -> Interval:
    return bootstrap(notes[one] - notes[other])


def _line(
    notes: Mapping[str, NDArray[np.float64]],
    costs: Mapping[str, float],
    chosen: str,
    other: str,
    *,
    beyond: bool,
) -> str:
    better, worse = sorted((chosen, other), key=lambda name: (-_mean(notes[name]), name != chosen))
    lead = _difference(notes, better, worse)
    how_far = (
        f"by {lead.mean:.3f} ({lead.low:.3f} to {lead.high:.3f}) on {len(notes[better])} notes"
    )
    if beyond:
        return f"{better} beats {worse} {how_far}: beyond chance"
    if better == chosen:
        return f"{better} leads {worse} {how_far}: within chance; the higher score is taken"
    cheaper = f"{worse} is taken, {costs[better] / costs[worse]:.1f} times cheaper"
    return f"{better} leads {worse} {how_far}: within chance; {cheaper}"
