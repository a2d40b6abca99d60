"""Comparison of trials note by note: whether one is worse than another beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

NoteScores = Sequence[float | None] | NDArray[np.float64]
"""Score of each note; NaN or None for one without."""

LEVEL = 0.05
"""Probability of an error that is accepted where a trial is called worse than another."""


EXACT = 50
"""Number of notes up to which all combinations of signs are counted."""


def chance_of_deficit(scores: NoteScores, reference: NoteScores) -> float:
    """Probability that scores no worse than a reference fall so far behind it by chance.

    The p-value of the one-sided signed-rank test on the differences, note by note: exact for up
    to :data:`EXACT` notes. Notes with equal scores, such as two zeros, or without a score tell
    nothing and are left out.

    Parameters
    ----------
    scores, reference : sequence of float, shape (notes,)
        Score of each note; NaN or None for one without.

    Returns
    -------
    float
        0..1; 1 where the mean score is no lower than that of the reference, or no note is left.

    References
    ----------
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945.

    Examples
    --------
    Six notes, all of them worse: one of 2^6 equally likely combinations of signs.

    >>> reference = [0.3, 0.5, 0.2, 0.6, 0.4, 0.7]
    >>> chance_of_deficit([0.1, 0.2, 0.1, 0.2, 0.35, 0.4], reference)
    0.015625
    >>> chance_of_deficit(reference, reference)
    1.0
    """
    deficit = np.asarray(reference, np.float64) - np.asarray(scores, np.float64)
    told = deficit[np.isfinite(deficit) & (deficit != 0.0)]
    if not told.size or told.mean() <= 0.0:
        return 1.0
    if told.size > EXACT:
        return float(scipy.stats.wilcoxon(told, alternative="greater").pvalue)
    return _exact(told)


def _exact(deficit: NDArray[np.float64]) -> float:
    """The same by counting all combinations of signs, which ties do not disturb.

    With ties scipy counts them one by one, which takes a second for 13 notes.
    """
    doubled = np.rint(2 * scipy.stats.rankdata(abs(deficit))).astype(int)  # ties have half ranks
    chance = np.ones(1)  # of each sum of the ranks with a positive sign
    for rank in doubled:
        chance = (np.pad(chance, (0, rank)) + np.pad(chance, (rank, 0))) / 2
    return float(chance[doubled[deficit > 0].sum() :].sum())


def least_chance(notes: int) -> float:
    """The least value of :func:`chance_of_deficit` for a number of notes: 2^-notes."""
    return 2.0 ** -min(notes, 100)


def selected_scores(trial: FrozenTrial) -> NDArray[np.float64]:
    """Score of each validation note at the selected epoch of a trial."""
    return scores_at(trial, trial.user_attrs["selected_epoch"])


def scores_at(trial: FrozenTrial, epoch: int) -> NDArray[np.float64]:
    """Score of each validation note at an evaluated epoch of a trial; NaN for one without."""
    return np.asarray(trial.user_attrs["scores"][str(epoch)], np.float64)


def mean_score(trial: FrozenTrial) -> float:
    """Mean of :func:`selected_scores`, by which trials are ranked."""
    return float(np.nanmean(selected_scores(trial)))


def complete(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that ran to their end and have scores, the best first; equal ones by slot."""
    found = [
        trial
        for trial in trials
        if trial.state == TrialState.COMPLETE and np.isfinite(selected_scores(trial)).any()
    ]
    return sorted(found, key=lambda trial: (-mean_score(trial), trial.user_attrs["slot"]))


def leaders(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The best trial and those that are not worse beyond chance, the best first."""
    ranked = complete(trials)
    return [
        trial
        for trial in ranked
        if chance_of_deficit(selected_scores(trial), selected_scores(ranked[0])) > LEVEL
    ]
