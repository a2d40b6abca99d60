"""Fit while listening: the last of the best epochs is kept, whatever ends the fit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.metrics import mean_scores
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.training import TrainingDiverged
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.selection import OnEpoch, Selected, fit_selected, kept_look
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)


def bells(*pitches_hz: int) -> list[Clip]:
    return [
        Clip(f"test/{f}", i, damped([f], [1.0], seconds=1.2, rate=RATE), RATE)
        for i, f in enumerate(pitches_hz)
    ]


CLIPS = bells(150, 170, 190, 210)
EPOCHS = 12


def make(**config: Any) -> LearnedContinuator[Any]:
    settings = {"units": 32, "resolution": 40, "epochs": EPOCHS, "batch": 1, "transpose": 0}
    continuator = create("lstm", SIGNAL, settings | {"learning_rate": 2e-2} | config)
    assert isinstance(continuator, LearnedContinuator)
    return continuator


@pytest.fixture(scope="module")
def panel() -> EvaluationSet:
    return EvaluationSet(CLIPS[1:3], SIGNAL.prime_samples)


def go_on(_: int, __: Mapping[str, float]) -> bool:
    return False


def run(
    panel: EvaluationSet,
    folder: Path,
    continuator: LearnedContinuator[Any] | None = None,
    on_epoch: OnEpoch = go_on,
    check_every: int = 2,
) -> Selected:
    return fit_selected(
        continuator or make(),
        CLIPS,
        panel,
        check_every=check_every,
        seed=0,
        device="cpu",
        folder=folder,
        on_epoch=on_epoch,
    )


@pytest.fixture(scope="module")
def whole(panel, tmp_path_factory) -> Selected:
    return run(panel, tmp_path_factory.mktemp("whole"))


def looks(selected: Selected) -> dict[float, float]:
    history = selected.history
    return {r["epoch"]: r["look.score"] for r in history if "look.score" in r}


def heard(selected: Selected, panel: EvaluationSet) -> float:
    return mean_scores([j.scores for j in panel.judge(selected.continuator)])["score"]


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "epoch_seconds"} for row in history]


def assert_same(one: Selected, other: Selected) -> None:
    assert (one.epoch, one.score, one.ended) == (other.epoch, other.score, other.ended)
    # NaN is a measure without a value, and equals itself here
    assert str(timeless(one.history)) == str(timeless(other.history))
    state, expected = one.continuator.state(), other.continuator.state()
    assert all(torch.equal(state[k], expected[k]) for k in expected)


def test_every_epoch_is_kept_and_every_second_one_heard(whole):
    assert [row["epoch"] for row in whole.history] == list(range(1, EPOCHS + 1))
    assert list(looks(whole)) == [2, 4, 6, 8, 10, 12]
    assert whole.ended == "complete"


def test_the_last_epoch_is_always_heard(panel, tmp_path):
    assert list(looks(run(panel, tmp_path, check_every=5))) == [5, 10, 12]


def test_the_kept_epoch_is_returned_as_it_was(whole, panel):
    assert whole.score == looks(whole)[whole.epoch]
    assert heard(whole, panel) == whole.score > 0.0


def test_an_early_epoch_that_was_best_is_returned(tmp_path):
    """On many notes: what four of them lack might be chance."""
    continuator, panel = make(), EvaluationSet(bells(*range(150, 215, 5)), SIGNAL.prime_samples)

    def spoil(epoch: int, _: Mapping[str, float]) -> bool:
        if epoch >= 8:
            for weight in continuator.net.parameters():
                weight.data.zero_()
        return False

    selected = run(panel, tmp_path, continuator, spoil)
    assert selected.epoch in (6, 8)
    assert 0.0 < selected.score == heard(selected, panel)
    assert max(looks(selected)[epoch] for epoch in (10, 12)) < selected.score


def test_a_lead_by_chance_is_not_followed():
    """The first look leads by one lucky note, which a later one pays back but for little."""
    looks = {6: [0.9, 0.5, 0.5, 0.5], 12: [0.1, 0.1, 0.1, 0.1], 18: [0.5, 0.6, 0.6, 0.6]}
    assert kept_look(looks) == 18


def test_a_lead_on_every_note_is_followed():
    assert kept_look({6: [0.3, 0.4, 0.5], 12: [0.6, 0.7, 0.8], 18: [0.5, 0.6, 0.71]}) == 12


@pytest.mark.parametrize(("standard_errors", "kept"), [(1.5, 18), (2.5, 6)])
def test_a_lead_of_two_standard_errors_is_followed(standard_errors, kept):
    """16 notes lack 0.01 more or less than their mean, whose standard error is 0.01 / sqrt(15)."""
    lacks = [0.01 * (sign + standard_errors / 15**0.5) for sign in (-1, 1) * 8]
    best = [0.5] * 16
    assert (
        kept_look({6: best, 18: [score - lack for score, lack in zip(best, lacks, strict=True)]})
        == kept
    )


def test_the_more_notes_agree_the_smaller_a_lead_is_followed():
    lacks = [0.06, -0.04]
    for notes, kept in ((4, 18), (200, 6)):
        looks = {6: [0.5] * notes, 18: [0.5 - lack for lack in lacks * (notes // 2)]}
        assert kept_look(looks) == kept


def test_the_best_checkpoint_has_the_highest_mean_score():
    """Not the highest median, nor the best single note."""
    assert kept_look({6: [0.6, 0.6, 0.6], 12: [0.2, 0.62, 0.62]}) == 12  # as good, as far as known
    many = {6: [0.6, 0.6, 0.6] * 10, 12: [0.2, 0.62, 0.62] * 10}
    assert kept_look(many) == 6


@pytest.mark.parametrize(("last", "kept"), [([0.5], 12), ([0.49], 6)])
def test_on_one_note_any_lead_is_followed(last, kept):
    assert kept_look({6: [0.5], 12: last}) == kept


def test_of_equals_the_last_is_kept():
    assert kept_look({2: [0.0, 0.0], 4: [0.0, 0.0]}) == 4


@pytest.mark.parametrize("stop", [2, 5, 12])
def test_a_fit_that_is_ended_from_outside_returns_what_it_kept(whole, panel, tmp_path, stop):
    selected = run(panel, tmp_path, on_epoch=lambda epoch, _: epoch == stop)
    assert selected.ended == "pruned"
    assert [row["epoch"] for row in selected.history] == list(range(1, stop + 1))
    so_far = {epoch: score for epoch, score in looks(whole).items() if epoch <= stop}
    assert looks(selected) == so_far
    assert selected.score == so_far[selected.epoch] == heard(selected, panel)


@pytest.mark.parametrize("stops", [(1,), (4,), (5,), (7,), (12,), (8, 6), (3, 9)])
def test_an_interrupted_fit_ends_like_an_uninterrupted_one(whole, panel, tmp_path, stops):
    for stop in stops:

        def interrupt(epoch: int, _: Mapping[str, float], stop: int = stop) -> bool:
            if epoch == stop:
                raise KeyboardInterrupt
            return False

        with pytest.raises(KeyboardInterrupt):
            run(panel, tmp_path, on_epoch=interrupt)
    assert_same(run(panel, tmp_path), whole)


def test_a_finished_fit_is_not_done_again(whole, panel, tmp_path):
    run(panel, tmp_path)
    told: list[int] = []
    again = run(panel, tmp_path, on_epoch=lambda epoch, _: bool(told.append(epoch)))
    assert told == []
    assert_same(again, whole)


def diverging(after: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, OnEpoch]:
    """A continuator whose loss is no number once so many epochs are done."""
    continuator = make()
    loss, done = continuator.loss, [0]
    monkeypatch.setattr(
        continuator, "loss", lambda *given: loss(*given) * (float("nan") if done[0] >= after else 1)
    )

    def count(epoch: int, _: Mapping[str, float]) -> bool:
        done[0] = epoch
        return False

    return continuator, count


def test_a_fit_that_diverges_after_a_look_returns_what_it_kept(whole, panel, tmp_path, monkeypatch):
    continuator, count = diverging(5, monkeypatch)
    selected = run(panel, tmp_path, continuator, count)
    assert selected.ended.startswith("training diverged in epoch 6")
    assert looks(selected) == {epoch: looks(whole)[epoch] for epoch in (2, 4)}
    assert heard(selected, panel) == selected.score == looks(selected)[selected.epoch]


def test_a_fit_that_diverges_before_a_look_raises(panel, tmp_path, monkeypatch):
    continuator, count = diverging(1, monkeypatch)
    with pytest.raises(TrainingDiverged, match="in epoch 2"):
        run(panel, tmp_path, continuator, count)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '{"history": 3}', '{"looks": {"one": []}}', '{"looks": []}']
)
def test_a_damaged_history_is_one_line_with_the_way_out(panel, tmp_path, content):
    folder = tmp_path / "it's mine"
    folder.mkdir()
    (folder / "history.json").write_text(content)
    with pytest.raises(UserError) as caught:
        run(panel, folder)
    line = str(caught.value)
    assert line.startswith(f"{folder / 'history.json'} is damaged; to start that work again, run ")
    assert shlex.split(line[line.index("run ") + 4 :]) == ["rm", "-r", str(folder)]
    assert (folder / "history.json").read_text() == content
