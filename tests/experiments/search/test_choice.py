"""The final choice: beyond chance by score, within chance by cost; and its folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.search.choice import choose, finalists
from notedecay.experiments.search.finals import fold_scores, fold_trials, name_of
from notedecay.models import Signal
from tests.experiments.search.ended import CONFIG, ended

NOTES = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
SIGNS = np.array([1, -1, 1, -1, 1, -1])
WIDE = np.random.default_rng(0).uniform(0.1, 0.6, 40)
WAVE = 0.1 * np.resize([1, -1], 40)


def slots(trials, most: int) -> list[int]:
    return [trial.user_attrs["slot"] for trial in finalists(trials, most)]


def test_finalists_are_the_best_and_what_is_within_chance():
    trials = [
        ended(0, {24: NOTES - np.linspace(0.1, 0.15, 6)}, "modal"),
        ended(1, {24: NOTES}, "modal"),
        ended(2, {24: NOTES + 0.03 * SIGNS - 0.002}, "modal"),
    ]
    assert slots(trials, 3) == [1, 2]
    assert slots(trials, 1) == [1]
    assert finalists([], 3) == []


def test_another_model_comes_before_more_of_the_same():
    """Five trials of the modal model lead by hairs; the LSTM is within chance of them."""
    trials = [ended(i, {24: NOTES + i / 1e6 * SIGNS - i / 1e4 * (i > 0)}, "modal") for i in (0, 1)]
    trials += [ended(i, {24: NOTES + 0.03 * SIGNS - i / 1e3}, "modal") for i in (2, 3, 4)]
    trials += [ended(5, {24: NOTES + 0.05 * SIGNS - 0.009}, "lstm")]
    assert slots(trials, 2) == [0, 5]
    assert slots(trials, 3)[-1] == 5
    assert len(finalists(trials, 9)) == 5  # the second modal trial is worse on every note


def test_a_model_that_is_worse_beyond_chance_is_no_finalist():
    trials = [ended(0, {24: NOTES}, "modal"), ended(1, {24: NOTES / 9}, "lstm")]
    assert slots(trials, 2) == [0]


def test_the_better_one_is_taken_whatever_it_costs():
    choice = choose({"a": WIDE, "b": WIDE + 0.03 + 0.2 * WAVE}, {"a": 0.01, "b": 9.0})
    assert (choice.name, choice.runner_up, choice.beyond_chance) == ("b", "a", True)
    assert choice.difference is not None
    assert choice.difference.mean == pytest.approx(0.03)
    error = 0.02 / 40**0.5
    assert choice.difference.low == pytest.approx(0.03 - 1.96 * error, abs=5e-4)
    assert choice.difference.high == pytest.approx(0.03 + 1.96 * error, abs=5e-4)
    assert choice.score.mean == pytest.approx(WIDE.mean() + 0.03)
    assert choice.line == "b beats a by 0.030 (0.024 to 0.036) on 40 notes: beyond chance"


def test_within_chance_the_cheaper_one_is_taken():
    choice = choose({"a": WIDE, "b": WIDE + 0.01 + WAVE}, {"a": 0.1, "b": 0.3})
    assert (choice.name, choice.runner_up, choice.beyond_chance) == ("a", "b", False)
    assert choice.difference is not None
    assert choice.difference.mean == pytest.approx(-0.01)
    assert choice.line.startswith("b leads a by 0.010 (-0.0")
    assert choice.line.endswith("on 40 notes: within chance; a is taken, 3.0 times cheaper")


def test_within_chance_at_like_cost_the_higher_score_is_taken():
    choice = choose({"a": WIDE, "b": WIDE + 0.01 + WAVE}, {"a": 0.1, "b": 0.149})
    assert (choice.name, choice.beyond_chance) == ("b", False)
    assert choice.line.endswith("within chance; the higher score is taken")


def test_only_what_ties_with_the_best_can_be_taken_for_its_cost():
    scores = {"best": WIDE, "tied": WIDE - 0.01 + WAVE, "poor": WIDE - 0.2 + 0.1 * WAVE}
    choice = choose(scores, {"best": 1.0, "tied": 0.5, "poor": 0.001})
    assert (choice.name, choice.runner_up) == ("tied", "best")
    assert not choice.beyond_chance


def test_the_runner_up_within_chance_is_the_one_that_ties():
    """The second by score is worse on every note; the third is not beyond chance."""
    scores = {"best": WIDE, "second": WIDE - 0.005, "third": WIDE - 0.01 + WAVE}
    choice = choose(scores, dict.fromkeys(scores, 1.0))
    assert (choice.name, choice.runner_up, choice.beyond_chance) == ("best", "third", False)


def test_one_finalist_and_equal_ones():
    alone = choose({"a": WIDE}, {"a": 1.0})
    assert (alone.name, alone.runner_up, alone.beyond_chance) == ("a", None, False)
    assert alone.line == "a is the only finalist"
    same = choose({"a": WIDE, "b": WIDE}, {"a": 1.0, "b": 0.1})
    assert (same.name, same.beyond_chance) == ("b", False)


def test_a_note_without_a_score_is_left_out():
    gap = np.where(np.arange(40) == 3, np.nan, WIDE + 0.03 + 0.2 * WAVE)
    assert choose({"a": WIDE, "b": gap}, {"a": 1.0, "b": 1.0}).name == "b"


def test_equals_are_rarely_told_apart():
    """The claim is made for the best of several, so their number must not add to it."""
    rng = np.random.default_rng(3)
    claims = 0
    for _ in range(40):
        base = rng.uniform(0.1, 0.6, 40)
        scores = {str(i): base + rng.normal(0, 0.05, 40) for i in range(3)}
        claims += choose(scores, dict.fromkeys(scores, 1.0)).beyond_chance
    assert claims <= 4  # 2 expected if there were two of them


# ---------------------------------------------------------------- folds


def dataset(pitches: range, test: set[int]) -> Dataset:
    """Two takes of each pitch."""
    silence = np.zeros(8, np.float32)
    clips = [Clip(f"bells/{take}/{p}", p, silence, 2000) for take in "ab" for p in pitches]
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for clip in clips:
        held = "validation" if clip.pitch % 5 == 0 else "train"
        parts["test" if clip.pitch in test else held].append(clip.id)
    return Dataset(Signal(instrument="bells", rate=2000), clips, parts, Path("clips.npz"))


def test_the_folds_hold_every_note_but_those_of_the_test():
    data = dataset(range(40, 60), {43, 57})
    best = [
        ended(7, {24: NOTES}, "lstm", settings={"units": 64, "epochs": 2}),
        ended(9, {24: NOTES}),
    ]
    found = fold_trials(best, data, CONFIG, count=3, validation=0.15, seed=5)
    assert list(found) == ["trial 7 lstm", "trial 9 lstm"]
    unseen = [id_ for trial in found["trial 7 lstm"] for id_ in trial.evaluation["unseen"]]
    assert sorted(unseen) == sorted([*data.ids("train"), *data.ids("validation")])
    pitch_of = {clip.id: clip.pitch for clip in data.clips}
    for trial in found["trial 7 lstm"]:
        parts = [trial.train, trial.validation, trial.evaluation["unseen"]]
        assert all(parts)
        pitches = [{pitch_of[id_] for id_ in part} for part in parts]
        assert len(set.union(*pitches)) == sum(map(len, pitches)) == 18
        assert trial.settings == {"units": 64, "epochs": 24}
        assert (trial.seed, trial.check_every) == (5, 4)
    a, b = (found[name] for name in found)
    assert [trial.evaluation for trial in a] == [trial.evaluation for trial in b]


def test_few_pitches_make_fewer_folds():
    best = [ended(0, {24: NOTES})]
    found = fold_trials(best, dataset(range(41, 48), {43}), CONFIG, count=5, validation=0.2, seed=1)
    assert len(found["trial 0 lstm"]) == 3
    with pytest.raises(UserError, match="3 pitches are too few"):
        fold_trials(best, dataset(range(40, 43), set()), CONFIG, count=5, validation=0.2, seed=1)


def test_scores_of_folds_are_in_the_order_of_the_notes():
    def result(**scores: float | None):
        return {"notes": {"unseen": [{"note": n, "score": s} for n, s in scores.items()]}}

    found = fold_scores([result(c=0.3, a=0.1), result(b=None)])
    assert found[0] == 0.1
    assert np.isnan(found[1])
    assert found[2] == 0.3


def test_a_finalist_is_named_as_its_run():
    assert name_of(ended(12, {24: NOTES}, "cnn_lstm")) == "trial 12 cnn_lstm"
