"""Seeding: the best points of the newest other study, as far as they fit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from notedecay.core.config import Range
from notedecay.experiments.search.sampler import Plan, begin
from notedecay.experiments.search.seeding import Earlier, seeds

SPACES = {
    "lstm": {
        "units": [64, 128],
        "gated": [True, False],
        "learning_rate": Range(low=0.001, high=0.01, log=True),
        "layers": 2,
    },
    "lru": {"states": [256, 512]},
}


def trial(score: float, model: str = "lstm", **settings: Any) -> FrozenTrial:
    return create_trial(value=score, user_attrs={"model": model, "settings": settings})


def study(day: int, *trials: FrozenTrial, name: str = "") -> Earlier:
    return Earlier(name or f"piano-{day:02d}", datetime(2026, 11, day), trials)


def test_the_best_points_of_the_newest_other_study_are_taken():
    old = study(3, trial(0.9, units=64))
    new = study(
        5,
        trial(0.2, units=64, gated=False, learning_rate=0.002, layers=1),
        trial(0.4, "lru", states=512),
        trial(0.3, units=128, gated=True, learning_rate=0.004, layers=1),
        create_trial(
            state=TrialState.PRUNED, user_attrs={"model": "lru", "settings": {"states": 256}}
        ),
    )
    own = study(7, trial(1.0, units=64), name="own")
    found = seeds([new, own, old], "own", SPACES, 2)
    assert found is not None
    assert found.points == (
        {"model": "lru", "lru.states": 512},
        {"model": "lstm", "lstm.units": 128, "lstm.gated": True, "lstm.learning_rate": 0.004},
    )
    assert found.line == "begins with the best 2 points of the search piano-05 of 2026-11-05"


def test_what_lies_outside_the_space_is_left_out():
    earlier = study(
        5,
        trial(0.9, "vrnn", units=64),
        trial(0.8, units=96, gated=1, learning_rate=0.02, layers=2, gone=3),
        trial(0.7, units=64, gated=1, learning_rate=0.002),
    )
    found = seeds([earlier], "own", SPACES, 3)
    assert found is not None
    assert found.points == ({"model": "lstm", "lstm.units": 64, "lstm.learning_rate": 0.002},)
    assert found.line.startswith("begins with the best 1 point of ")


def test_the_same_point_is_taken_once():
    earlier = study(5, trial(0.9, "lru", states=512), trial(0.8, "lru", states=512))
    found = seeds([earlier], "own", SPACES, 3)
    assert found is not None
    assert len(found.points) == 1


def test_a_study_without_a_point_that_fits_gives_way_to_an_older_one():
    empty, foreign = study(9), study(8, trial(0.9, "vrnn", units=64))
    found = seeds([empty, foreign, study(3, trial(0.1, "lru", states=256))], "own", SPACES, 3)
    assert found is not None
    assert "piano-03" in found.line
    assert seeds([empty, foreign], "own", SPACES, 3) is None
    assert seeds([], "own", SPACES, 3) is None
    assert seeds([study(3, trial(0.1, "lru", states=256))], "own", SPACES, 0) is None


def test_seeds_begin_a_study():
    found = seeds([study(5, trial(0.9, units=128, gated=False, learning_rate=0.01))], "", SPACES, 1)
    assert found is not None
    plan = Plan(1, 2, SPACES, 2, enqueued=found.points)
    first = begin(plan, 0, {})
    assert first.model == "lstm"
    assert first.settings == {"units": 128, "gated": False, "learning_rate": 0.01, "layers": 2}
