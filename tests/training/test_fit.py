"""The fit loop: it learns, is repeatable, and an interrupted fit ends the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import Continuator, LearnedContinuator, Signal, create
from notedecay.models.learned import Examples, LearnedConfig
from notedecay.training import Epoch, TrainingDiverged, fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
CLIPS = [
    Clip(f"test/{f}", i, damped([f], [1.0], seconds=1.5 + 0.1 * i, rate=RATE), RATE)
    for i, f in enumerate([150, 190, 230, 270, 310])
]


def make(**config: Any) -> LearnedContinuator[Any]:
    settings = {"units": 32, "resolution": 40, "epochs": 6, "batch": 2, "transpose": 0}
    model = create("lstm", SIGNAL, settings | {"input_noise": 0.1} | config)
    assert isinstance(model, LearnedContinuator)
    return model


def train(model: Continuator[Any], **options: Any) -> list[Epoch]:
    epochs: list[Epoch] = []
    given = {"seed": 0, "device": "cpu", "report": epochs.append} | options
    fit(model, CLIPS, **given)
    return epochs


def same(a: LearnedContinuator[Any], b: LearnedContinuator[Any]) -> bool:
    x, y = a.state(), b.state()
    return all(torch.equal(x[k], y[k]) for k in x)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
@pytest.mark.parametrize("level", ["prime", "global"])
def test_one_note_is_learned_and_continued(optimiser: str, level: str) -> None:
    settings = {"epochs": 250, "input_noise": 0.0, "learning_rate": 5e-3}
    model = make(optimiser=optimiser, level=level, **settings)
    epochs: list[Epoch] = []
    fit(model, CLIPS[:1], seed=0, device="cpu", report=epochs.append)
    assert epochs[-1].metrics["train_loss"] < 1e-2 * epochs[0].metrics["train_loss"]
    prime, rest = np.split(CLIPS[0].samples, [SIGNAL.prime_samples])
    made = model.continue_prime(prime, 400)
    assert np.square(made - rest[:400]).sum() < 0.1 * np.square(rest[:400]).sum()


def test_each_epoch_is_reported_with_its_metrics() -> None:
    epochs = train(make(schedule="cosine", learning_rate=1e-2))
    assert [(e.number, e.of) for e in epochs] == [(i, 6) for i in range(1, 7)]
    rates = [e.metrics["learning_rate"] for e in epochs]
    assert rates[0] == pytest.approx(1e-2)
    assert rates[3] == pytest.approx(0.5e-2)
    assert all(e.metrics["grad_norm"] > 0 and e.metrics["epoch_seconds"] > 0 for e in epochs)


def test_the_continuator_can_be_heard_within_report() -> None:
    model = make()
    made = []

    def use(_: Epoch) -> None:
        made.append(model.continue_prime(CLIPS[0].samples[: SIGNAL.prime_samples], 300))

    train(model, report=use)
    assert len(made) == 6
    assert not np.array_equal(made[0], made[-1])


def test_use_within_report_changes_nothing() -> None:
    used, unused = make(), make()
    prime = CLIPS[0].samples[: SIGNAL.prime_samples]
    train(used, report=lambda _: used.continue_prime(prime, 300))
    train(unused)
    assert same(used, unused)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = make(), make(), make()
    train(first)
    train(second)
    train(other, seed=1)
    assert same(first, second)
    assert not same(first, other)


def test_a_second_fit_begins_afresh() -> None:
    once, twice = make(), make()
    train(once)
    train(twice, seed=7)
    train(twice)
    assert same(once, twice)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
@pytest.mark.parametrize("stop", [1, 3, 4, 6])
@pytest.mark.parametrize("reason", [KeyboardInterrupt, ValueError])
def test_an_interrupted_fit_ends_like_an_uninterrupted_one(
    optimiser: str, stop: int, reason: type[BaseException], tmp_path: Path
) -> None:
    whole, parted = make(optimiser=optimiser), make(optimiser=optimiser)
    expected = train(whole)

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == stop:
            raise reason

    with pytest.raises(reason):
        train(parted, report=interrupt, checkpoint=tmp_path, every=2)
    resumed = make(optimiser=optimiser)
    epochs = train(resumed, checkpoint=tmp_path, every=2)
    assert same(resumed, whole)
    # What was reported but not yet written down is done and reported again.
    assert epochs[0].number == (stop - 1) // 2 * 2 + 1
    losses = {e.number: e.metrics["train_loss"] for e in expected}
    assert all(e.metrics["train_loss"] == losses[e.number] for e in epochs)


def test_a_finished_fit_is_not_done_again(tmp_path: Path) -> None:
    first, second = make(), make()
    train(first, checkpoint=tmp_path)
    assert train(second, checkpoint=tmp_path) == []
    assert same(first, second)


@pytest.mark.parametrize("change", [{"seed": 1}, {"units": 16}, {"learning_rate": 1e-2}])
def test_progress_of_another_fit_is_not_used(change: dict[str, Any], tmp_path: Path) -> None:
    seed = change.pop("seed", 0)
    train(make(), checkpoint=tmp_path)
    fresh, beside = make(**change), make(**change)
    assert len(train(fresh, seed=seed, checkpoint=tmp_path)) == 6
    train(beside, seed=seed)
    assert same(fresh, beside)


def test_progress_on_other_notes_is_not_used(tmp_path: Path) -> None:
    train(make(), checkpoint=tmp_path)
    epochs: list[Epoch] = []
    options: dict[str, Any] = {"seed": 0, "device": "cpu", "checkpoint": tmp_path}
    fit(make(), CLIPS[1:], report=epochs.append, **options)
    assert len(epochs) == 6


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_is_one_clear_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "fit.pt").write_bytes(content)
    with pytest.raises(UserError, match="is damaged; to train afresh, run rm "):
        train(make(), checkpoint=tmp_path)


def test_a_torn_checkpoint_is_one_clear_line(tmp_path: Path) -> None:
    train(make(), checkpoint=tmp_path)
    whole = (tmp_path / "fit.pt").read_bytes()
    (tmp_path / "fit.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is damaged; to train afresh, run rm "):
        train(make(), checkpoint=tmp_path)


class KnownGradient(LearnedContinuator[LearnedConfig]):
    """Two weights and a loss whose gradient by them is 3 and 4: 5 long, for whatever notes."""

    name = "known"
    Config = LearnedConfig

    def __init__(self, **config: Any) -> None:
        super().__init__(SIGNAL, LearnedConfig(**({"epochs": 4, "batch": 2} | config)))
        self.net = torch.nn.Linear(2, 1, bias=False)
        self.batches: list[list[float]] = []
        self.modes: list[bool] = []

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        torch.nn.init.normal_(self.net.weight, generator=generator)
        return self.examples(clips)

    def examples(self, clips: Sequence[Clip]) -> Examples:
        return (torch.arange(1.0, 1.0 + len(clips)),)

    def loss(self, examples: Examples, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        self.batches.append(examples[0].tolist())
        self.modes.append(self.net.training)
        slopes = self.net.weight @ torch.tensor([3.0, 4.0])
        return examples[0].mean() + (slopes - slopes.detach()).sum()

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        return [np.zeros(n, np.float32) for _, n in zip(primes, samples, strict=True)]

    @property
    def gradient(self) -> list[float]:
        assert self.net.weight.grad is not None
        return list(self.net.weight.grad.flatten().tolist())


@pytest.mark.parametrize(
    ("clip_norm", "gradient"),
    [(1.0, [0.6, 0.8]), (2.5, [1.5, 2.0]), (5.1, [3.0, 4.0]), (1e9, [3.0, 4.0])],
)
def test_a_gradient_longer_than_the_limit_is_shortened_to_it(
    clip_norm: float, gradient: list[float]
) -> None:
    """Whole and in its direction, afresh in each step; reported is how long it was before."""
    known, seen = KnownGradient(clip_norm=clip_norm), []
    train(known, report=lambda epoch: seen.append((known.gradient, epoch.metrics)))
    assert len(seen) == 4
    for found, metrics in seen:
        assert found == pytest.approx(gradient, rel=1e-4)
        assert metrics["grad_norm"] == pytest.approx(5.0)


def test_clip_norm_changes_the_weights_of_a_net() -> None:
    """Adam divides by the gradient's size: only by its change does a limit show."""
    states = []
    for clip_norm in (1e-3, 1e9):
        model = make(clip_norm=clip_norm, epochs=3)
        train(model)
        states.append(model)
    assert not same(*states)


def test_every_note_counts_once_in_each_epoch_and_alike_in_the_loss() -> None:
    known = KnownGradient()
    epochs = train(known)
    assert [len(batch) for batch in known.batches] == [2, 2, 1] * 4
    dealt = [note for batch in known.batches for note in batch]
    orders = [tuple(dealt[k : k + 5]) for k in range(0, 20, 5)]
    assert all(sorted(order) == [1.0, 2.0, 3.0, 4.0, 5.0] for order in orders)
    assert len(set(orders)) > 1
    assert [e.metrics["train_loss"] for e in epochs] == pytest.approx([3.0] * 4)


def test_a_net_is_in_training_mode_only_for_the_loss() -> None:
    known, modes = KnownGradient(), []
    train(known, report=lambda _: modes.append(known.net.training))
    assert all(known.modes)
    assert modes == [False] * 4


def test_rmsprop_forgets_a_tenth_of_the_mean_square_in_each_step() -> None:
    """The first step is the gradient by the root of a tenth of its square."""
    known = KnownGradient(
        optimiser="rmsprop", schedule="constant", learning_rate=1e-2, batch=5, epochs=2
    )
    weights: list[torch.Tensor] = []
    train(known, report=lambda _: weights.append(known.net.weight.detach().clone()))
    step = (weights[0] - weights[1]).flatten().tolist()
    assert step == pytest.approx([1e-2 / (0.1 + 0.9 * 0.1) ** 0.5] * 2, rel=1e-3)


def test_divergence_says_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    loss = model.loss
    monkeypatch.setattr(model, "loss", lambda *given: loss(*given) * float("nan"))
    with pytest.raises(TrainingDiverged, match="in epoch 1: the loss is nan; lower learning_rate"):
        train(model)


def test_no_notes_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="no notes to learn from"):
        fit(make(), [], seed=0, device="cpu")


def test_a_classical_continuator_has_nothing_to_learn() -> None:
    assert train(create("esprit", SIGNAL, {})) == []
