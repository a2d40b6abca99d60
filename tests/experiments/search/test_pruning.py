"""The rule that ends trials: beyond chance, not by the luck of one evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from notedecay.experiments.search.pruning import (
    PruneRule,
    evaluations,
    rule_for,
    rule_from,
)
from notedecay.experiments.search.sampler import Plan, Point
from tests.experiments.search.ended import CONFIG, ended

EPOCHS = (4, 8, 12, 16, 20, 24)
NOTES = np.array([0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7])


def steady(scores: np.ndarray, epochs: tuple[int, ...] = EPOCHS) -> dict[int, list[float]]:
    return {epoch: [float(score) for score in scores] for epoch in epochs}


def rule(notes: int = 13, **changed: object) -> PruneRule:
    config = CONFIG.model_copy(update=changed)
    found = rule_from([ended(0, steady(NOTES[:notes], tuple(evaluations(config))))], config)
    assert found is not None
    return found


def lower(by: float, notes: int = 13) -> np.ndarray:
    """Every note worse, by unlike amounts."""
    return NOTES[:notes] - by * np.linspace(0.9, 1.1, notes)


def test_evaluations_are_every_few_epochs_and_at_the_end():
    assert evaluations(CONFIG) == [4, 8, 12, 16, 20, 24]
    assert evaluations(CONFIG.model_copy(update={"epochs": 10})) == [4, 8, 10]
    assert evaluations(CONFIG.model_copy(update={"epochs": 3})) == [3]


def test_the_level_is_shared_by_the_looks():
    assert rule().looks == (8, 12, 16, 20)
    assert rule().level == 0.05 / 4
    assert rule(warmup_checks=4).looks == (16, 20)
    assert rule(warmup_checks=0).looks == (8, 12, 16, 20)


def test_few_notes_have_fewer_looks_of_which_each_can_decide():
    """Six notes decide by 1/64 at best, so the level is enough for three looks of 0.0167."""
    assert (rule(6).looks, rule(6).level) == ((8, 12, 16), 0.05 / 3)
    assert rule(6).ends(steady(lower(0.1, 6), (4, 8)))
    one_better = lower(0.1, 6)
    one_better[3] = 0.26
    assert not rule(6).ends(steady(one_better, (4, 8)))
    assert (rule(5).looks, rule(5).level) == ((8,), 0.05)
    assert rule_from([ended(0, steady(NOTES[:4]))], CONFIG) is None


def test_a_trial_ends_when_it_is_worse_twice_in_a_row():
    poor, fair = lower(0.05), NOTES
    assert rule().ends({4: poor, 8: poor})
    assert not rule().ends({4: poor, 8: fair})
    assert not rule().ends({4: fair, 8: poor})
    assert not rule().ends({4: fair, 8: poor, 12: fair})
    assert rule().ends({4: fair, 8: poor, 12: poor})


def test_a_trial_ends_neither_before_its_warm_up_nor_at_its_end():
    poor = lower(0.1)
    assert not rule().ends({})
    assert not rule().ends(steady(poor, (4,)))
    assert not rule().ends(steady(poor, EPOCHS))
    assert not rule(warmup_checks=4).ends(steady(poor, (4, 8, 12)))
    assert rule(warmup_checks=4).ends(steady(poor, (4, 8, 12, 16)))


def test_a_small_deficit_on_every_note_is_beyond_chance_and_a_large_one_on_two_is_not():
    assert rule().ends(steady(lower(0.01), (4, 8)))
    two = NOTES.copy()
    two[[3, 8]] -= 0.25
    assert not rule().ends(steady(two, (4, 8)))


def test_a_trial_that_is_better_in_the_mean_goes_on():
    scores = lower(0.01)
    scores[0] = 0.9
    assert not rule().ends(steady(scores, (4, 8)))


def test_equal_scores_and_missing_ones_are_no_evidence():
    assert not rule().ends(steady(NOTES, (4, 8)))
    zeros = rule_from([ended(0, steady(np.zeros(13)))], CONFIG)
    assert zeros is not None
    assert not zeros.ends(steady(np.zeros(13), (4, 8)))
    hidden = [None] * 9 + [0.0] * 4
    assert not rule().ends({4: hidden, 8: hidden})
    assert not rule().ends({4: [np.nan] * 13, 8: [np.nan] * 13})


def test_a_note_that_the_reference_lacks_is_left_out():
    scores: list[float | None] = [None, *map(float, NOTES[1:])]
    found = rule_from([ended(0, dict.fromkeys(EPOCHS, scores))], CONFIG)
    assert found is not None
    assert found.reference[8][:2] == (None, 0.15)
    assert found.ends(steady(lower(0.1), (4, 8)))


def test_the_reference_is_the_mean_of_the_leaders():
    alike = NOTES + np.where(np.arange(13) % 2, 0.02, -0.02)
    trials = [
        ended(0, steady(NOTES)),
        ended(1, steady(alike)),
        ended(2, steady(lower(0.2))),
        ended(3, steady(NOTES + 0.2), state=TrialState.PRUNED),
    ]
    found = rule_from(trials, CONFIG)
    assert found is not None
    assert found.reference[8] == pytest.approx(tuple((NOTES + alike) / 2))
    assert sorted(found.reference) == list(EPOCHS)


def test_without_a_complete_trial_nothing_is_ended():
    assert rule_from([], CONFIG) is None
    diverged = ended(0, steady(NOTES, (4, 8)))
    assert rule_from([diverged], CONFIG) is None


def test_a_rule_survives_json():
    known = rule()
    scores: list[float | None] = [None, *map(float, NOTES[1:])]
    gap = rule_from([ended(0, dict.fromkeys(EPOCHS, scores))], CONFIG)
    assert gap is not None
    for one in (known, gap):
        assert PruneRule.of(json.loads(json.dumps(one.plain(), allow_nan=False))) == one


def test_shares_and_several_objectives_are_not_ended():
    plan = Plan(1, 2, {"lstm": {}}, 1)
    over = {slot: ended(slot, steady(NOTES)) for slot in range(4)}

    def point(slot: int, *, share: bool = False) -> Point:
        return Point(slot, "lstm", {}, 0, {}, {}, share)

    assert rule_for(plan, point(4), over, CONFIG) is not None
    assert rule_for(plan, point(4, share=True), over, CONFIG) is None
    assert rule_for(plan, point(1), over, CONFIG) is None  # the prefix is empty
    both = Plan(1, 2, {"lstm": {}}, 1, objectives=("score", "cost"))
    assert rule_for(both, point(4), over, CONFIG) is None


def test_a_rule_depends_on_the_prefix_alone():
    plan = Plan(1, 4, {"lstm": {}}, 1)
    over = {slot: ended(slot, steady(NOTES + slot / 100)) for slot in range(8)}
    point = Point(5, "lstm", {}, 0, {}, {}, share=False)
    prefix = {slot: over[slot] for slot in (0, 1)}
    assert rule_for(plan, point, over, CONFIG) == rule_for(plan, point, prefix, CONFIG)


# ---------------------------------------------------------------- chance


def drawn(
    rng: np.random.Generator, base: np.ndarray, better: float = 0.0
) -> dict[int, list[float]]:
    """Scores of a trial, as they scatter on the piano: by note, by epoch, and by both."""
    rise = 0.05 * (1 - np.exp(-np.array(EPOCHS) / 8))
    own = base + better + rng.normal(0, 0.03, len(base))
    luck = rise + rng.normal(0, 0.006, len(EPOCHS))
    return {
        epoch: [float(score) for score in own + common + rng.normal(0, 0.02, len(base))]
        for epoch, common in zip(EPOCHS, luck, strict=True)
    }


def first(ends: Callable[[int], bool]) -> int | None:
    return next((epoch for epoch in EPOCHS[:-1] if ends(epoch)), None)


def by_rule(found: PruneRule, scores: dict[int, list[float]]) -> int | None:
    return first(lambda now: found.ends({e: row for e, row in scores.items() if e <= now}))


def by_median(trials: list[FrozenTrial], scores: dict[int, list[float]]) -> int | None:
    """When Optuna's pruner ends it, which knows the means alone."""

    def means(rows: dict[int, list[float]]) -> dict[int, float]:
        return {epoch: float(np.mean(row)) for epoch, row in rows.items()}

    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=8)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for trial in trials:
        rows = {int(epoch): row for epoch, row in trial.user_attrs["scores"].items()}
        study.add_trial(create_trial(value=trial.value, intermediate_values=means(rows)))
    asked = study.ask()
    for epoch, mean in means(scores).items():
        asked.report(mean, epoch)
        if epoch != EPOCHS[-1] and asked.should_prune():
            return epoch
    return None


def ended_epochs(
    notes: int, better: float, *, repeats: int
) -> tuple[list[int | None], list[int | None]]:
    """When one more trial is ended that is as good as nine others, or worse: by rule, by median."""
    rng = np.random.default_rng(1)
    rule_ends, median_ends = [], []
    for _ in range(repeats):
        base = rng.uniform(0.05, 0.5, notes)
        trials = [ended(slot, drawn(rng, base)) for slot in range(9)]
        scores = drawn(rng, base, better)
        found = rule_from(trials, CONFIG)
        assert found is not None
        rule_ends.append(by_rule(found, scores))
        median_ends.append(by_median(trials, scores))
    return rule_ends, median_ends


def share(epochs: list[int | None]) -> float:
    return sum(epoch is not None for epoch in epochs) / len(epochs)


@pytest.mark.parametrize("notes", [13, 6])
def test_equal_trials_are_rarely_ended(notes):
    """In 400 repeats: 1.5 % with 13 notes and 0.3 % with 6; by the median 69 % and 63 %."""
    rule_ends, median_ends = ended_epochs(notes, 0.0, repeats=60)
    assert share(rule_ends) <= 0.05
    assert share(median_ends) > 0.5


def test_clearly_worse_trials_are_ended_early():
    """Their deficit is 0.05, of a score of 0.32; it is 1.3 standard deviations between notes."""
    rule_ends, _ = ended_epochs(13, -0.05, repeats=30)
    assert share(rule_ends) > 0.9
    assert sum(epoch == 8 for epoch in rule_ends) > 20


def test_with_six_notes_far_worse_trials_are_ended_early():
    rule_ends, _ = ended_epochs(6, -0.1, repeats=30)
    assert share(rule_ends) > 0.9


def test_the_search_says_how_long_the_warm_up_is():
    config = CONFIG.model_copy(update={"check_every": 8, "warmup_checks": 0})
    found = rule_from([ended(0, steady(NOTES, (8, 16, 24)))], config)
    assert found is not None
    assert (found.looks, found.level) == ((16,), 0.05)
