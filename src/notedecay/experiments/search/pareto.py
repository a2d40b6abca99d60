"""Several objectives: score, calibration of decay times, and cost; the Pareto front of trials."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from notedecay.experiments.search.paired import mean_score
from notedecay.experiments.search.sampler import DIRECTIONS

MAX_OCTAVES = 3.0
"""Largest error of a decay time that is told apart: a partial whose T60 is 8 times too long or
short, that does not fall at all, or is missing."""

LEAST_COST = 2.0**-20
"""Lower costs count as this one (s/s)."""


def calibration(partials: Sequence[Mapping[str, Any]]) -> float:
    """Mean error of decay times in octaves: 0 is right, 1 is a factor of 2 too long or too short.

    The mean over notes of the mean over a note's partials of ``abs(log2(T60 generated / T60 of the
    original))``, each at most :data:`MAX_OCTAVES`. Unlike the score it does not ask how a note
    sounds otherwise, and it weighs how far off a decay is where the score has given up on it.

    Parameters
    ----------
    partials : sequence of mapping
        Rows of ``result["partials"]`` of an evaluation set, with ``note``, ``t60`` and
        ``t60_made`` (s); the latter is None or NaN for a partial that is missing, None or infinite
        for one that does not fall.

    Returns
    -------
    float
        0..3; NaN where no partial of the originals is evaluated, as for a flute.

    Examples
    --------
    >>> calibration([
    ...     {"note": "C4", "t60": 2.0, "t60_made": 4.0},
    ...     {"note": "C4", "t60": 1.0, "t60_made": 1.0},
    ... ])
    0.5
    """
    errors: dict[str, list[float]] = defaultdict(list)
    for partial in partials:
        errors[partial["note"]].append(_octaves(partial["t60_made"], partial["t60"]))
    return float(np.mean([np.mean(note) for note in errors.values()])) if errors else math.nan


def _octaves(made: float | None, true: float) -> float:
    if made is None or not 0.0 < made < math.inf:
        return MAX_OCTAVES
    return min(MAX_OCTAVES, abs(math.log2(made / true)))


def quantised(cost: float) -> float:
    """A cost to the nearest power of two (s/s).

    The sampler sees no finer cost, so that a load on the machine hardly changes its points.

    Examples
    --------
    >>> quantised(0.11), quantised(0.13), quantised(0.2)
    (0.125, 0.125, 0.25)
    """
    return 2.0 ** round(math.log2(max(cost, LEAST_COST)))


def values(
    objectives: Sequence[str], *, score: float, calibration: float, cost: float
) -> list[float]:
    """Values of a finished trial as the sampler gets them.

    Parameters
    ----------
    objectives : sequence of str
        Keys of :data:`~.sampler.DIRECTIONS`.
    score : float
        Mean over the validation notes, 0..1.
    calibration : float
        From :func:`calibration`; NaN counts as the worst.
    cost : float
        CPU time per second of generated sound (s/s).
    """
    worst = MAX_OCTAVES if math.isnan(calibration) else calibration
    known = {"score": score, "calibration": worst, "cost": quantised(cost)}
    return [known[name] for name in objectives]


def front(trials: Sequence[FrozenTrial], objectives: Sequence[str]) -> list[FrozenTrial]:
    """Complete trials that no other one dominates: is as good in all objectives and better in one.

    Equal trials are all on the front. Costs are compared as the sampler sees them, so that a few
    per cent of measured time put no trial on the front or off it.
    """
    signs = np.array(
        [1.0 if DIRECTIONS[name] == StudyDirection.MINIMIZE else -1.0 for name in objectives]
    )
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    losses = [signs * np.asarray(trial.values) for trial in finished]
    return [
        trial
        for trial, own in zip(finished, losses, strict=True)
        if not any((other <= own).all() and (other < own).any() for other in losses)
    ]


def table(trials: Sequence[FrozenTrial], objectives: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the complete trials for a table and for a plot of DVC, by slot.

    Returns
    -------
    list of dict
        ``trial``, ``model``, ``score``, ``calibration`` (octaves), ``cost`` (s/s, as measured),
        ``front`` (``yes`` or ``no``).
    """
    best = {trial.user_attrs["slot"] for trial in front(trials, objectives)}
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return [
        {
            "trial": trial.user_attrs["slot"],
            "model": trial.user_attrs["model"],
            "score": mean_score(trial),
            "calibration": trial.user_attrs["calibration"],
            "cost": trial.user_attrs["cost"],
            "front": "yes" if trial.user_attrs["slot"] in best else "no",
        }
        for trial in sorted(finished, key=lambda trial: trial.user_attrs["slot"])
    ]
