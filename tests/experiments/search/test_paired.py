"""Comparison note by note: p-values of the signed-rank test, from its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from optuna.trial import TrialState

from notedecay.experiments.search.paired import (
    chance_of_deficit,
    complete,
    leaders,
    least_chance,
    mean_score,
    selected_scores,
)
from tests.experiments.search.ended import ended


def by_hand(deficit: list[float]) -> float:
    """Share of all combinations of signs whose sum of positive ranks is as large."""
    size = np.abs(deficit)
    ranks = np.array([(size < s).sum() + ((size == s).sum() + 1) / 2 for s in size])
    found = ranks[np.array(deficit) > 0].sum()
    signs = itertools.product((0, 1), repeat=len(deficit))
    return float(np.mean([np.dot(sign, ranks) >= found for sign in signs]))


@pytest.mark.parametrize(
    "deficit",
    [
        [0.1, 0.2, 0.3, 0.4, 0.5],
        [0.1, 0.2, 0.3, 0.4, -0.05],
        [0.3, 0.25, -0.1, 0.2, -0.02, 0.15, 0.07, 0.4],
        [0.1, 0.1, -0.1, 0.2, 0.2, 0.3],
        [0.1, 0.1, -0.1, 0.2, 0.2, 0.3, 0.3, -0.3, 0.3, 0.1, 0.1, 0.1, 0.1],
    ],
)
def test_the_chance_is_that_of_all_combinations_of_signs(deficit):
    scores, reference = [-d for d in deficit], [0.0] * len(deficit)
    assert chance_of_deficit(scores, reference) == pytest.approx(by_hand(deficit))


def test_the_least_chance_is_that_of_all_notes_worse():
    assert least_chance(5) == 1 / 32 == chance_of_deficit([0.1, 0.2, 0.3, 0.4, 0.45], [0.5] * 5)
    assert 0 < least_chance(5000) < 1e-20


def test_notes_that_tell_nothing_are_left_out():
    reference = [0.5, 0.6, 0.7, 0.8, 0.9, 0.0, 0.4, None]
    scores = [0.4, 0.4, 0.4, 0.4, 0.4, 0.0, None, 0.1]
    assert chance_of_deficit(scores, reference) == 1 / 32


def test_nothing_is_worse_than_itself_or_than_nothing():
    assert chance_of_deficit([0.0] * 9, [0.0] * 9) == 1.0
    assert chance_of_deficit([np.nan] * 9, [0.5] * 9) == 1.0
    assert chance_of_deficit([], []) == 1.0


def test_a_higher_mean_is_never_worse():
    """Worse on seven of eight notes, but far better on the eighth."""
    assert chance_of_deficit([0.49] * 7 + [0.9], [0.5] * 7 + [0.1]) == 1.0
    assert chance_of_deficit([0.49] * 7 + [0.105], [0.5] * 7 + [0.1]) < 0.05


def test_many_notes():
    """By the normal distribution, which the exact one comes close to."""
    rng = np.random.default_rng(1)
    deficit = rng.normal(0.03, 0.1, 51)
    normal = chance_of_deficit(-deficit, np.zeros(51))
    exact = chance_of_deficit(-deficit[:-1], np.zeros(50))
    assert normal == pytest.approx(scipy.stats.wilcoxon(deficit, alternative="greater").pvalue)
    assert exact == pytest.approx(
        scipy.stats.wilcoxon(deficit[:-1], alternative="greater", method="exact").pvalue
    )
    assert normal == pytest.approx(exact, rel=0.5)


def test_scores_are_those_of_the_selected_epoch():
    trial = ended(3, {4: [0.1, 0.2], 8: [0.5, 0.6]})
    assert selected_scores(trial).tolist() == [0.5, 0.6]
    assert mean_score(trial) == pytest.approx(0.55)
    assert mean_score(ended(3, {4: [None, 0.2]})) == pytest.approx(0.2)


def test_the_best_comes_first_and_what_has_no_score_not_at_all():
    trials = [
        ended(0, {4: [0.2] * 6}),
        ended(1, {4: [0.4] * 6}),
        ended(2, {4: [0.9] * 6}, state=TrialState.PRUNED),
        ended(3, {4: [0.4] * 6}),
        ended(4, {4: [None] * 6}, values=[0.0]),
    ]
    assert [trial.user_attrs["slot"] for trial in complete(trials)] == [1, 3, 0]


def test_leaders_are_the_best_and_what_is_not_worse_beyond_chance():
    best = [0.5, 0.4, 0.3, 0.6, 0.7, 0.2]
    trials = [
        ended(0, {4: [score - 0.01 - i / 1000 for i, score in enumerate(best)]}),
        ended(1, {4: best}),
        ended(2, {4: [0.3, 0.3, 0.2, 0.5, 0.6, 0.5]}),
    ]
    assert [trial.user_attrs["slot"] for trial in leaders(trials)] == [1, 2]
    assert leaders([]) == []
