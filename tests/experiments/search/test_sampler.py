"""Points of slots: the same whoever works when, fair to models, and drawn to what is good."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from notedecay.core.config import Range
from notedecay.experiments.search.sampler import Plan, Point, begin, slot_seed
from notedecay.experiments.search.space import Spaces
from tests.experiments.search.ended import at

RATE = Range(low=0.001, high=0.01, log=True)
SPACES: Spaces = {
    "modal": {"units": [32, 64], "dropout": [0.1, 0.2], "learning_rate": RATE},
    "lru": {"states": [128, 256, 512], "learning_rate": RATE, "batch": 4},
    "lstm": {"units": Range(low=64, high=256), "resolution": [15, 30, 60], "learning_rate": RATE},
}
PLAN = Plan(seed=2016, window=8, spaces=SPACES, startup=3)

Judge = Callable[[Point], FrozenTrial]


def judged(point: Point) -> FrozenTrial:
    """Modal is best at high learning rates; some trials fail, and poor ones are pruned."""
    score = {"modal": 0.3, "lru": 0.2, "lstm": 0.1}[point.model] + 5 * point.params[
        f"{point.model}.learning_rate"
    ]
    if point.slot in (4, 13):
        return at(point, score, TrialState.FAIL)
    poor = not point.share and score < 0.3
    return at(point, score, TrialState.PRUNED if poor else TrialState.COMPLETE)


def run(
    plan: Plan, trials: int, workers: int, seed: int, judge: Judge = judged
) -> tuple[dict[int, Point], dict[int, FrozenTrial]]:
    """Let workers take slots as they may begin; they are over in random order."""
    rng, over, busy, points = random.Random(seed), {}, {}, {}
    while len(over) < trials:
        first = next(slot for slot in range(trials) if slot not in over)
        for slot in range(first, min(trials, first + plan.window)):
            if slot not in over and slot not in busy and len(busy) < workers:
                busy[slot] = points[slot] = begin(plan, slot, over)
        slot = rng.choice(list(busy))
        over[slot] = judge(busy.pop(slot))
    return dict(sorted(points.items())), over


def in_turn(plan: Plan, trials: int, judge: Judge = judged) -> dict[int, Point]:
    return run(plan, trials, 1, 0, judge)[0]


def test_one_four_or_eight_workers_make_the_same_points_in_any_order():
    alone = in_turn(PLAN, 24)
    assert run(PLAN, 24, 4, 1)[0] == alone
    assert run(PLAN, 24, 8, 2)[0] == alone
    assert len({tuple(sorted(point.params.items())) for point in alone.values()}) == 24


def test_what_is_over_beyond_the_prefix_does_not_matter():
    points, over = run(PLAN, 24, 1, 0)
    for slot in (9, 20, 23):
        known = {earlier: over[earlier] for earlier in range(slot - 7)}
        assert begin(PLAN, slot, known) == begin(PLAN, slot, over) == points[slot]
    with pytest.raises(KeyError):
        begin(PLAN, 20, {slot: over[slot] for slot in range(12)})


def test_trials_read_back_from_a_database_make_the_same_points(tmp_path):
    points, over = run(PLAN, 22, 8, 3)
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = optuna.create_study(storage=storage, direction="maximize")
    study.add_trials(list(over.values()))
    read = {trial.user_attrs["slot"]: trial for trial in study.get_trials()}
    storage.engine.dispose()
    assert all(begin(PLAN, slot, read) == points[slot] for slot in (8, 17, 21))


def test_another_process_makes_the_same_points():
    """Whatever the order of Python's sets in it."""
    program = (
        "from tests.experiments.search.test_sampler import *\n"
        "print([point.params for point in in_turn(PLAN, 16).values()])"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str([point.params for point in in_turn(PLAN, 16).values()])


def test_another_seed_or_window_gives_other_points():
    alone = in_turn(PLAN, 12)
    other_seed = in_turn(Plan(7, 8, SPACES, 3), 12)
    assert all(alone[slot].params != other_seed[slot].params for slot in alone)
    assert in_turn(Plan(2016, 1, SPACES, 3), 12) != alone


def test_seeds_of_trials_are_pinned():
    assert [slot_seed(2016, slot) for slot in (0, 1)] == [2456405760, 2517875822]
    assert in_turn(PLAN, 2)[1].seed == 2517875822


@pytest.mark.parametrize("trials", [2, 3, 7, 9])
def test_few_trials_are_shared_as_evenly_as_they_can_be(trials):
    counts = Counter(point.model for point in in_turn(PLAN, trials).values())
    shares = [counts[model] for model in SPACES]
    assert max(shares) - min(shares) <= 1
    assert list(dict.fromkeys(p.model for p in in_turn(PLAN, 3).values())) == list(SPACES)


def test_every_model_has_its_share_of_complete_trials():
    """Slots 4 and 13 fail: their models are tried again elsewhere."""
    points, over = run(PLAN, 24, 1, 0)
    complete = Counter(
        trial.user_attrs["model"]
        for slot, trial in over.items()
        if points[slot].share and trial.state == TrialState.COMPLETE
    )
    assert complete["lru"] == 3
    assert all(complete[model] >= 3 for model in SPACES)
    assert sum(point.share for point in points.values()) == 10


def test_a_model_that_always_fails_does_not_take_the_whole_budget():
    def judge(point: Point) -> FrozenTrial:
        broken = point.model == "lstm"
        return at(point, 0.5, TrialState.FAIL if broken else TrialState.COMPLETE)

    points = in_turn(Plan(1, 1, SPACES, 2), 16, judge)
    assert sum(point.model == "lstm" and point.share for point in points.values()) == 4


def test_pruned_trials_do_not_make_up_a_share():
    """The share of lru is not full: one of its trials failed, and another was pruned."""
    plan = Plan(1, 1, {"lru": SPACES["lru"], "lstm": SPACES["lstm"]}, 1)
    first = {slot: begin(plan, slot, {}) for slot in (0,)}
    over = {0: at(first[0], 0.3)}
    point = begin(plan, 1, over)
    assert (first[0].model, point.model, point.share) == ("lru", "lstm", True)
    over[1] = at(point, 0.2, TrialState.PRUNED)
    again = begin(plan, 2, over)
    assert (again.model, again.share) == ("lstm", True)


def test_the_share_of_a_model_covers_each_setting_evenly():
    points = [p for p in in_turn(PLAN, 9).values() if p.model == "lstm"]
    assert {point.settings["resolution"] for point in points} == {15, 30, 60}
    thirds = sorted(int(3 * (point.settings["units"] - 64) / 193) for point in points)
    assert thirds == [0, 1, 2]
    rates = sorted(point.settings["learning_rate"] for point in points)
    assert rates[0] < 0.001 * 10 ** (1 / 3) < rates[1] < 0.001 * 10 ** (2 / 3) < rates[2]
    assert all(isinstance(point.settings["units"], int) for point in points)


def test_a_setting_without_a_choice_is_kept():
    lru = [p for p in in_turn(PLAN, 9).values() if p.model == "lru"]
    assert {point.settings["batch"] for point in lru} == {4}
    assert "lru.batch" not in lru[0].params


def test_the_sampler_narrows_to_what_is_good():
    """Random points would have the modal model in 5 of 15, at a median rate of 0.0032."""
    later = [p for p in in_turn(Plan(3, 1, SPACES, 3), 34).values() if not p.share]
    modal = [point for point in later if point.model == "modal"]
    assert len(modal) > 0.7 * len(later)
    rates = sorted(point.settings["learning_rate"] for point in modal)
    assert rates[len(rates) // 2] > 0.006


def test_trials_that_run_push_others_away():
    """Without the constant liar eight slots that know the same trials would crowd together."""
    plan = Plan(5, 8, {"modal": {"learning_rate": Range(low=0.0, high=1.0)}}, 2)

    def judge(point: Point) -> FrozenTrial:
        return at(point, 1 - abs(point.settings["learning_rate"] - 0.5))

    points, _ = run(plan, 30, 8, 1, judge)
    rates = [points[slot].settings["learning_rate"] for slot in range(22, 30)]
    assert min(abs(a - b) for i, a in enumerate(rates) for b in rates[:i]) > 1e-3
    assert sum(rates) / 8 == pytest.approx(0.5, abs=0.15)


def test_enqueued_points_take_the_first_slots_of_their_model():
    first = {"model": "modal", "modal.units": 64, "modal.dropout": 0.2, "modal.learning_rate": 0.01}
    plan = Plan(2016, 8, SPACES, 2, enqueued=(first, {"model": "modal", "modal.units": 32}))
    points = in_turn(plan, 9)
    modal = [point for point in points.values() if point.model == "modal"]
    assert modal[0].settings == {"units": 64, "dropout": 0.2, "learning_rate": 0.01}
    assert (points[0], points[3]) == (modal[0], modal[1])
    assert modal[1].settings["units"] == 32
    assert 0.001 <= modal[1].settings["learning_rate"] <= 0.01
    assert modal[0].share
    assert modal[1].share


def test_more_enqueued_points_than_the_share_are_all_tried():
    queue = tuple({"model": "lru", "lru.states": states} for states in (128, 256, 512, 128))
    points = in_turn(Plan(2016, 8, SPACES, 2, enqueued=queue), 8)
    lru = [point.settings["states"] for point in points.values() if point.model == "lru"]
    assert lru == [128, 256, 512, 128]


def test_one_model_and_enqueued_points():
    queue = ({"model": "lru", "lru.states": 512},)
    points = in_turn(Plan(1, 2, {"lru": SPACES["lru"]}, 2, enqueued=queue), 6)
    assert points[0].settings["states"] == 512
    assert {point.model for point in points.values()} == {"lru"}
    assert "model" not in points[0].params


def test_a_search_without_shares_begins_at_random():
    points = in_turn(Plan(1, 4, SPACES, 0), 8)
    assert not any(point.share for point in points.values())
    assert len({tuple(point.params.items()) for point in points.values()}) == 8


def test_several_objectives():
    """Score up, cost down: the sampler goes for both ends, and workers make the same points."""

    def judge(point: Point) -> FrozenTrial:
        rate = point.settings["learning_rate"]
        return at(point, rate, values=[rate, 2.0 ** -(1000 * rate // 2)])

    plan = Plan(1, 4, {"lru": SPACES["lru"]}, 3, objectives=("score", "cost"))
    alone, _ = run(plan, 16, 1, 0, judge)
    assert run(plan, 16, 4, 5, judge)[0] == alone
    later = [point.settings["learning_rate"] for point in alone.values() if not point.share]
    assert sum(later) / len(later) > 0.005  # a high rate is better in both
