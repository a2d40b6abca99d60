"""The end of a search: trials asked for, or none that gains beyond chance."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.trial import FrozenTrial, TrialState

from notedecay.experiments.search.sampler import Plan
from notedecay.experiments.search.stop import Length, length
from tests.experiments.search.ended import ended

NOTES = np.linspace(0.2, 0.7, 13)
SIGNS = np.resize([1, -1], 13)
PLAN = Plan(1, 3, {"modal": {}}, 2)


def within_chance(slot: int) -> FrozenTrial:
    """Better on every other note, by and large the same."""
    return ended(slot, {8: NOTES + (0.01 + slot / 1e4) * SIGNS}, "modal")


def better(slot: int, by: float) -> FrozenTrial:
    return ended(slot, {8: NOTES + by * np.linspace(0.9, 1.1, 13)}, "modal")


def study(count: int, **changed: FrozenTrial) -> dict[int, FrozenTrial]:
    return {slot: changed.get(f"t{slot}", within_chance(slot)) for slot in range(count)}


def found(over: dict[int, FrozenTrial], patience: int | None = 4, trials: int = 40) -> Length:
    return length(PLAN, over, trials=trials, patience=patience)


def test_without_patience_the_number_of_trials_counts():
    assert found(study(30), patience=None) == Length(40, None)


def test_a_search_without_gain_ends():
    """Slots 0 and 1 are the share; 2 to 5 gain nothing; 8 is the first slot that knows."""
    end = found(study(6))
    assert end == Length(8, "no gain beyond chance in 4 trials over trial 0 (modal, 0.451)")
    assert found(study(5)) == Length(40, None)


def test_what_is_over_later_does_not_change_the_end():
    assert found(study(20, t9=better(9, 0.2))) == found(study(6))
    gap = study(12)
    del gap[4]
    assert found(gap) == Length(40, None)


def test_a_gain_beyond_chance_begins_the_wait_anew():
    assert found(study(30, t4=better(4, 0.05))).slots == 5 + 4 - 1 + 3
    assert found(study(30, t4=better(4, 0.05), t8=better(8, 0.1))).slots == 9 + 4 - 1 + 3


def test_small_gains_add_up():
    """Each is within chance of the one before, and all are beyond chance of the first."""
    rng = np.random.default_rng(0)
    over = {
        slot: ended(slot, {8: NOTES + 0.01 * slot + rng.normal(0, 0.03, 13)}, "modal")
        for slot in range(12)
    }
    assert found(over, patience=8) == Length(40, None)


def test_a_higher_mean_by_chance_is_no_gain():
    lucky = NOTES.copy()
    lucky[3] += 0.4
    assert found(study(6, t4=ended(4, {8: lucky}, "modal"))).slots == 8


def test_pruned_trials_count_as_waiting_and_failed_ones_do_not():
    pruned = ended(3, {8: NOTES}, "modal", TrialState.PRUNED)
    failed = ended(3, {8: NOTES}, "modal", TrialState.FAIL)
    assert found(study(6, t3=pruned)).slots == 8
    assert found(study(6, t3=failed)) == Length(40, None)
    assert found(study(7, t3=failed)).slots == 9


def test_the_share_of_each_model_comes_first():
    plan = Plan(1, 3, {"modal": {}, "lru": {}, "lstm": {}}, 4)
    assert length(plan, study(15), trials=40, patience=4) == Length(40, None)
    assert length(plan, study(16), trials=40, patience=4).slots == 18


@pytest.mark.parametrize("trials", [6, 8])
def test_the_end_is_never_later_than_asked(trials):
    assert found(study(trials), trials=trials) == Length(trials, None)


def test_the_luckiest_of_many_equals_is_no_gain():
    """Of 20 equals one in twenty would gain by itself if each were tested at 5 %."""
    ends = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        over = {
            slot: ended(slot, {8: NOTES + rng.normal(0, 0.03, 13)}, "modal") for slot in range(22)
        }
        ends += found(over, patience=20).reason is not None
    assert ends >= 17
