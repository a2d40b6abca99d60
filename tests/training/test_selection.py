"""Training with selection: the last of the best epochs is returned, whatever ends it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.metrics import mean_scores
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.selection import OnEpoch, Selected, select_epoch, train
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
    model = create("lstm", SIGNAL, settings | {"learning_rate": 2e-2} | config)
    assert isinstance(model, LearnedContinuator)
    return model


@pytest.fixture(scope="module")
def notes() -> EvaluationSet:
    return EvaluationSet(CLIPS[1:3], SIGNAL.prime_samples)


def run(
    notes: EvaluationSet | None,
    folder: Path,
    model: LearnedContinuator[Any] | None = None,
    on_epoch: OnEpoch = lambda *_: None,
    check_every: int = 2,
    **given: Any,
) -> Selected:
    return train(
        model or make(),
        CLIPS,
        notes,
        check_every=check_every,
        seed=0,
        device="cpu",
        folder=folder,
        on_epoch=on_epoch,
        **given,
    )


@pytest.fixture(scope="module")
def whole(notes, tmp_path_factory) -> Selected:
    return run(notes, tmp_path_factory.mktemp("whole"))


def checkpoints(selected: Selected) -> dict[float, float]:
    history = selected.history
    return {r["epoch"]: r["checkpoint.score"] for r in history if "checkpoint.score" in r}


def score(selected: Selected, notes: EvaluationSet) -> float:
    return mean_scores([j.scores for j in notes.evaluate(selected.model)])["score"]


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "epoch_seconds"} for row in history]


def assert_same(one: Selected, other: Selected) -> None:
    assert (one.epoch, one.score, one.ended) == (other.epoch, other.score, other.ended)
    # NaN is a measure without a value, and equals itself here
    assert str(timeless(one.history)) == str(timeless(other.history))
    state, expected = one.model.state(), other.model.state()
    assert all(torch.equal(state[k], expected[k]) for k in expected)


def test_every_epoch_is_kept_and_every_second_one_score(whole):
    assert [row["epoch"] for row in whole.history] == list(range(1, EPOCHS + 1))
    assert list(checkpoints(whole)) == [2, 4, 6, 8, 10, 12]
    assert whole.ended == "complete"


def test_the_last_epoch_is_always_score(notes, tmp_path):
    assert list(checkpoints(run(notes, tmp_path, check_every=5))) == [5, 10, 12]


def test_the_selected_epoch_is_returned_as_it_was(whole, notes):
    assert whole.score == checkpoints(whole)[whole.epoch]
    assert score(whole, notes) == whole.score > 0.0


def test_an_early_epoch_that_was_best_is_returned(tmp_path):
    """On many notes: what four of them lack might be chance."""
    model, notes = make(), EvaluationSet(bells(*range(150, 215, 5)), SIGNAL.prime_samples)

    def spoil(epoch: int, _: Mapping[str, float]) -> bool:
        if epoch >= 8:
            for weight in model.net.parameters():
                weight.data.zero_()
        return False

    selected = run(notes, tmp_path, model, spoil)
    assert selected.epoch in (6, 8)
    assert 0.0 < selected.score == score(selected, notes)
    assert max(checkpoints(selected)[epoch] for epoch in (10, 12)) < selected.score


def test_a_lead_by_chance_is_not_followed():
    """The first evaluation leads by one lucky note, which a later one pays back but for little."""
    scores = {6: [0.9, 0.5, 0.5, 0.5], 12: [0.1, 0.1, 0.1, 0.1], 18: [0.5, 0.6, 0.6, 0.6]}
    assert select_epoch(scores) == 18


def test_a_lead_on_every_note_is_followed():
    assert select_epoch({6: [0.3, 0.4, 0.5], 12: [0.6, 0.7, 0.8], 18: [0.5, 0.6, 0.71]}) == 12


@pytest.mark.parametrize(("standard_errors", "kept"), [(1.5, 18), (2.5, 6)])
def test_a_lead_of_two_standard_errors_is_followed(standard_errors, kept):
    """16 notes lack 0.01 more or less than their mean, whose standard error is 0.01 / sqrt(15)."""
    lacks = [0.01 * (sign + standard_errors / 15**0.5) for sign in (-1, 1) * 8]
    best = [0.5] * 16
    assert (
        select_epoch({6: best, 18: [score - lack for score, lack in zip(best, lacks, strict=True)]})
        == kept
    )


def test_the_more_notes_agree_the_smaller_a_lead_is_followed():
    lacks = [0.06, -0.04]
    for notes, kept in ((4, 18), (200, 6)):
        scores = {6: [0.5] * notes, 18: [0.5 - lack for lack in lacks * (notes // 2)]}
        assert select_epoch(scores) == kept


def test_the_best_checkpoint_has_the_highest_mean_score():
    """Not the highest median, nor the best single note."""
    assert select_epoch({6: [0.6, 0.6, 0.6], 12: [0.2, 0.62, 0.62]}) == 12
    many = {6: [0.6, 0.6, 0.6] * 10, 12: [0.2, 0.62, 0.62] * 10}
    assert select_epoch(many) == 6


@pytest.mark.parametrize(("last", "kept"), [([0.5], 12), ([0.49], 6)])
def test_on_one_note_any_lead_is_followed(last, kept):
    assert select_epoch({6: [0.5], 12: last}) == kept


def test_of_equals_the_last_is_selected():
    assert select_epoch({2: [0.0, 0.0], 4: [0.0, 0.0]}) == 4


@pytest.mark.parametrize("stop", [2, 6])
def test_a_pruned_training_returns_what_it_selected(whole, notes, tmp_path, stop):
    seen: list[dict[int, list[float]]] = []

    def prunes(scores: Mapping[int, Sequence[float]]) -> bool:
        seen.append({epoch: list(notes) for epoch, notes in scores.items()})
        return max(scores) == stop

    selected = run(notes, tmp_path, prunes=prunes)
    assert selected.ended == "pruned"
    assert [list(scores) for scores in seen] == [
        list(range(2, n + 1, 2)) for n in range(2, stop + 1, 2)
    ]
    assert selected.checkpoints == seen[-1]
    assert [row["epoch"] for row in selected.history] == list(range(1, stop + 1))
    so_far = {epoch: score for epoch, score in checkpoints(whole).items() if epoch <= stop}
    assert checkpoints(selected) == so_far
    assert selected.score == so_far[selected.epoch] == score(selected, notes)


def test_a_training_that_has_come_to_its_end_is_not_pruned(whole, notes, tmp_path):
    selected = run(notes, tmp_path, prunes=lambda scores: max(scores) == EPOCHS)
    assert_same(selected, whole)


def test_a_training_ends_after_the_epoch_in_which_its_time_is_over(notes, tmp_path):
    """The last epoch is evaluated, though its turn had not come."""
    selected = run(notes, tmp_path, seconds=1e-9)
    assert (selected.ended, selected.epoch) == ("out of time", 1)
    assert list(selected.checkpoints) == [1]


@pytest.mark.parametrize("stops", [(1,), (4,), (5,), (7,), (12,), (8, 6), (3, 9)])
def test_an_interrupted_fit_ends_like_an_uninterrupted_one(whole, notes, tmp_path, stops):
    for stop in stops:

        def interrupt(epoch: int, _: Mapping[str, float], stop: int = stop) -> None:
            if epoch == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(notes, tmp_path, on_epoch=interrupt)
    assert_same(run(notes, tmp_path), whole)


def test_a_finished_fit_is_not_done_again(whole, notes, tmp_path):
    run(notes, tmp_path)
    told: list[int] = []
    again = run(notes, tmp_path, on_epoch=lambda epoch, _: told.append(epoch))
    assert told == []
    assert_same(again, whole)


def diverging(after: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, OnEpoch]:
    """A model whose loss is no number once so many epochs are done."""
    model = make()
    loss, done = model.loss, [0]
    monkeypatch.setattr(
        model, "loss", lambda *given: loss(*given) * (float("nan") if done[0] >= after else 1)
    )

    def count(epoch: int, _: Mapping[str, float]) -> None:
        done[0] = epoch

    return model, count


def test_a_training_that_diverges_after_an_evaluation_returns_what_it_selected(
    whole, notes, tmp_path, monkeypatch
):
    model, count = diverging(5, monkeypatch)
    selected = run(notes, tmp_path, model, count)
    assert selected.ended.startswith("training diverged in epoch 6")
    assert checkpoints(selected) == {epoch: checkpoints(whole)[epoch] for epoch in (2, 4)}
    assert score(selected, notes) == selected.score == checkpoints(selected)[selected.epoch]


def test_a_training_that_diverges_before_an_evaluation_has_no_score(notes, tmp_path, monkeypatch):
    model, count = diverging(1, monkeypatch)
    selected = run(notes, tmp_path, model, count)
    assert selected.ended.startswith("training diverged in epoch 2")
    assert (selected.epoch, selected.score) == (1, None)


def test_without_validation_notes_the_last_epoch_is_returned(tmp_path):
    selected = run(None, tmp_path)
    assert (selected.epoch, selected.score, selected.ended) == (EPOCHS, None, "complete")
    assert checkpoints(selected) == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '{"history": 3}', '{"scores": {"one": []}}', '{"scores": []}']
)
def test_a_damaged_history_is_one_line_with_the_way_out(notes, tmp_path, content):
    folder = tmp_path / "it's mine"
    folder.mkdir()
    (folder / "history.json").write_text(content)
    with pytest.raises(UserError) as caught:
        run(notes, folder)
    line = str(caught.value)
    assert line.startswith(f"{folder / 'history.json'} is damaged; to start that work again, run ")
    assert shlex.split(line[line.index("run ") + 4 :]) == ["rm", "-r", str(folder)]
    assert (folder / "history.json").read_text() == content
