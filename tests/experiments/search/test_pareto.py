"""Several objectives: error of decay times in octaves, costs in powers of two, the front."""

from __future__ import annotations

import math

import pytest
from optuna.trial import FrozenTrial, TrialState

from notedecay.experiments.search.pareto import calibration, front, quantised, table, values
from tests.experiments.search.ended import ended


def partial(note: str, true: float, made: float | None) -> dict[str, object]:
    return {"note": note, "t60": true, "t60_made": made}


def test_calibration_is_the_mean_error_in_octaves():
    assert calibration([partial("a", 2.0, 2.0)]) == 0.0
    assert calibration([partial("a", 2.0, 1.0)]) == calibration([partial("a", 2.0, 4.0)]) == 1.0
    assert calibration([partial("a", 1.0, 1.4), partial("a", 1.0, 1 / 1.4)]) == pytest.approx(
        math.log2(1.4)
    )


def test_a_note_counts_once_however_many_partials_it_has():
    rows = [partial("a", 1.0, 1.0)] * 9 + [partial("b", 1.0, 2.0)]
    assert calibration(rows) == 0.5


@pytest.mark.parametrize("made", [None, math.inf, math.nan, 1000.0, 0.0, -2.0])
def test_a_partial_that_does_not_fall_or_is_missing_counts_as_three_octaves(made):
    assert calibration([partial("a", 1.0, made)]) == 3.0


def test_without_partials_there_is_no_calibration():
    assert math.isnan(calibration([]))
    assert values(("score", "calibration"), score=0.4, calibration=math.nan, cost=1.0) == [0.4, 3.0]


def test_costs_are_powers_of_two():
    assert [quantised(cost) for cost in (1.0, 1.3, 1.5, 0.06, 3.0)] == [1.0, 1.0, 2.0, 0.0625, 4.0]
    assert quantised(0.0) == quantised(1e-9) == 2.0**-20


def test_values_are_in_the_order_of_the_objectives():
    known = {"score": 0.3, "calibration": 0.5, "cost": 0.11}
    assert values(("score", "cost", "calibration"), **known) == [0.3, 0.125, 0.5]
    assert values(("score",), **known) == [0.3]


def tried(slot: int, score: float, cost: float, state=TrialState.COMPLETE) -> FrozenTrial:
    pair = values(("score", "cost"), score=score, calibration=0.5, cost=cost)
    known = pair if state == TrialState.COMPLETE else None
    return ended(slot, {8: [score]}, "lru", state, known, calibration=0.5, cost=cost)


TRIALS = [
    tried(0, 0.50, 0.50),
    tried(1, 0.40, 0.10),
    tried(2, 0.39, 0.50),  # worse than 0 in score, than 1 in both
    tried(3, 0.10, 0.01),
    tried(4, 0.40, 0.11),  # as dear as 1, but for the noise
    tried(5, 0.90, 0.01, TrialState.PRUNED),
]


def test_the_front_holds_what_nothing_dominates():
    assert [t.user_attrs["slot"] for t in front(TRIALS, ("score", "cost"))] == [0, 1, 3, 4]
    assert front([], ("score", "cost")) == []


def test_the_table_says_which_trials_are_on_the_front():
    rows = table(TRIALS[::-1], ("score", "cost"))
    assert [(row["trial"], row["front"]) for row in rows] == [
        (0, "yes"), (1, "yes"), (2, "no"), (3, "yes"), (4, "yes"),
    ]  # fmt: skip
    assert rows[4] == {
        "trial": 4, "model": "lru", "score": 0.4, "calibration": 0.5, "cost": 0.11, "front": "yes",
    }  # fmt: skip
