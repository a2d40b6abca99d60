"""Free-running objectives: right on known truth, off when off, repeatable, growing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import Signal, create
from notedecay.models.recurrent.losses import FLOOR, decay_loss, level_loss, spectrum_loss
from notedecay.models.recurrent.model import Framed, Recurrent
from notedecay.training import Epoch, fit
from tests.synthetic import damped

RATE, SIZE = 4000, 50
SIGNAL = Signal(instrument="test", rate=RATE)
CLIPS = [
    Clip(f"test/{f}", i, damped([f], [3.0], seconds=1.2 + 0.2 * i, rate=RATE), RATE)
    for i, f in enumerate([150, 230, 310])
]
OBJECTIVES = ["rollout", "level_loss", "spectrum_loss", "decay_loss"]


def make(kind: str = "lstm", **config: Any) -> Recurrent[Any]:
    small = {"units": 24, "resolution": 40, "epochs": 4, "batch": 2, "transpose": 0}
    model = create(kind, SIGNAL, small | {"horizon_seconds": 0.3} | config)
    assert isinstance(model, Recurrent)
    return model


def note(t60: float, frequency: float = 333.0, gain: float = 1.0) -> Tensor:
    """One second in blocks, at an energy of about one half at the beginning."""
    samples = 2 * gain * damped([frequency], [t60], seconds=1.0, rate=RATE)
    return torch.from_numpy(samples).view(1, -1, SIZE)


def known(blocks: Tensor) -> Tensor:
    return torch.ones(*blocks.shape[:2], 1)


def losses(made: Tensor, true: Tensor, weight: Tensor | None = None) -> list[float]:
    weight = known(true) if weight is None else weight
    return [
        level_loss(made, true, weight).item(),
        spectrum_loss(made, true, weight, RATE).item(),
        decay_loss(made, true, weight, RATE).item(),
    ]


def test_the_true_continuation_costs_nothing() -> None:
    assert losses(note(2.0), note(2.0)) == [0, 0, 0]


@pytest.mark.parametrize("t60", [1.5, 4.0])
def test_a_wrong_decay_costs_its_decibels(t60: float) -> None:
    level, spectrum, decay = losses(note(t60), note(2.0))
    apart = abs(60 / t60 - 60 / 2.0) / 10  # after one second
    assert level == pytest.approx(apart**2 / 3, rel=0.1)
    assert 0.6 * apart**2 < decay < apart**2  # some bands sink under the floor before the end
    assert spectrum > 0.01


def test_a_wrong_level_costs_its_decibels() -> None:
    made = note(3.0, gain=10**-0.5)
    level, _, decay = losses(made, note(3.0))
    assert level == pytest.approx(1.0, rel=0.01)
    assert decay < 0.02


def test_a_phase_that_drifts_costs_little() -> None:
    t = torch.arange(RATE) / RATE
    true, late = (torch.sin(2 * np.pi * 333 * t + turn).view(1, -1, SIZE) for turn in (0, 1.5))
    assert (true - late).square().mean() > 0.5
    assert max(losses(late, true)) < 0.05


def test_another_pitch_costs_spectrum_and_no_level() -> None:
    level, spectrum, _ = losses(note(2.0, 700.0), note(2.0))
    assert level < 0.02
    assert spectrum > 0.1


def test_decay_is_told_apart_band_by_band() -> None:
    """Two partials whose decays are swapped: the level is right, the bands are not."""
    true, swapped = (
        torch.from_numpy(damped([300, 1200], t60s, rate=RATE, seconds=1.0)).view(1, -1, SIZE)
        for t60s in ([1.0, 4.0], [4.0, 1.0])
    )
    level, _, decay = losses(swapped, true)
    assert decay > 10 * level


@pytest.mark.parametrize(("t60", "sign"), [(1.0, -1), (4.0, 1)])
@pytest.mark.parametrize("loss", ["level", "decay"])
def test_the_gradient_leads_to_the_right_decay(loss: str, t60: float, sign: int) -> None:
    wrong = torch.tensor(t60, requires_grad=True)
    t = torch.arange(RATE) / RATE
    made = (10 ** (-3 * t / wrong) * torch.sin(2 * np.pi * 333 * t)).view(1, -1, SIZE)
    true = note(2.0)
    cost = (
        level_loss(made, true, known(true))
        if loss == "level"
        else decay_loss(made, true, known(true), RATE)
    )
    (slope,) = torch.autograd.grad(cost, [wrong])
    assert torch.sign(slope) == sign


def test_padding_costs_nothing() -> None:
    true, made, weight = note(2.0), note(2.0), known(note(2.0))
    made[:, 40:], weight[:, 40:] = 5.0, 0.0
    assert losses(made, true, weight) == [0, 0, 0]
    assert losses(made, true, torch.zeros_like(weight)) == [0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, (2, 3, 2, SIZE), elements=st.floats(-1e3, 1e3, width=32)),
    st.sampled_from([0.0, 1e-30, 1.0, 1e6]),
)
def test_no_sound_makes_a_loss_or_a_gradient_infinite(sound: Any, gain: float) -> None:
    made, true = torch.from_numpy(sound * np.float32(gain)).unbind(0)
    made.requires_grad_()
    weight = known(true)
    total = level_loss(made, true, weight)
    total = total + spectrum_loss(made, true, weight, RATE) + decay_loss(made, true, weight, RATE)
    total.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    assert torch.isfinite(total)
    assert torch.isfinite(made.grad).all()


def test_silence_is_at_the_floor() -> None:
    true = note(2.0)
    expected = torch.log10(true.square().mean(dim=2) / FLOOR + 1).square().mean()
    assert losses(torch.zeros_like(true), true)[0] == pytest.approx(expected.item(), rel=1e-4)


def framed(model: Recurrent[Any], clips: list[Clip] = CLIPS) -> Framed:
    return Framed(*model.prepare(clips, torch.Generator().manual_seed(0)))


def loss(model: Recurrent[Any], notes: Framed, seed: int = 0) -> Tensor:
    return model.loss(notes, torch.Generator().manual_seed(seed))


def test_off_means_teacher_forcing_alone_and_no_chance_drawn() -> None:
    model = make()
    notes, generator = framed(model), torch.Generator().manual_seed(0)
    before = generator.get_state()
    predicted, _ = model.net(notes.blocks[:, :-1])
    error = (predicted - notes.blocks[:, 1:]).square() * notes.known[:, 1:]
    expected = error.sum() / (notes.known[:, 1:].sum() * model.blocks.size)
    assert torch.equal(model.loss(notes, generator), expected)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("kind", ["lstm", "gru", "cnn_lstm"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_adds_to_the_loss_and_reaches_every_weight(
    kind: str, objective: str
) -> None:
    plain, model = make(kind), make(kind, **{objective: 1.0})
    notes = framed(model)
    plain.restore(model.state())
    added = loss(model, notes) - loss(plain, notes)
    assert added > 1e-3
    gradients = torch.autograd.grad(added, list(model.net.parameters()))
    assert all(g.abs().max() > 0 for g in gradients)


@pytest.mark.parametrize("weights", ["absolute", "relative"])
def test_the_roll_out_is_what_the_net_makes_by_itself(weights: str) -> None:
    plain = make(loss=weights)
    model = make(loss=weights, rollout=0.5, horizon_seconds=30.0)  # to the end: from the prime on
    notes = framed(model, CLIPS[:1])
    plain.restore(model.state())
    prime = SIGNAL.prime_samples
    first, rest = prime // model.blocks.size, notes.blocks.shape[1] - prime // model.blocks.size
    rms = float(np.sqrt(np.square(CLIPS[0].samples[:prime]).mean()))
    made = model.continue_prime(CLIPS[0].samples[:prime], rest * model.blocks.size) / rms
    true = notes.blocks[0, first:]
    error = (torch.from_numpy(made).view(rest, -1) - true).square().mean(dim=1)
    weight = torch.ones(rest) if weights == "absolute" else 1 / (true.square().mean(dim=1) + 1e-2)
    expected = 0.5 * (error * weight).sum() / weight.sum()
    assert (loss(model, notes) - loss(plain, notes)).item() == pytest.approx(
        expected.item(), rel=1e-3
    )


def test_the_horizon_grows_until_the_half() -> None:
    model = make(horizon_seconds=0.5, rollout=1.0, epochs=5)
    horizons: list[int] = []
    fit(model, CLIPS, seed=0, device="cpu", report=lambda _: horizons.append(model.horizon))
    assert horizons == [8, 16, 20, 20, 20]


def test_a_net_learns_what_it_is_asked_for() -> None:
    """Free-running levels are nearer to the truth with the level loss than without."""
    off = []
    for weight in (0.0, 0.3):
        model = make(epochs=60, level_loss=weight, horizon_seconds=0.7, learning_rate=5e-3)
        fit(model, CLIPS, seed=0, device="cpu")
        blocks, weights = model.examples(CLIPS)
        first = SIGNAL.prime_samples // model.blocks.size
        with torch.no_grad():
            made = model.net.run_on(blocks[:, :first], blocks.shape[1] - first)
        off.append(level_loss(made, blocks[:, first:], weights[:, first:]).item())
    assert off[1] < 0.5 * off[0]


def test_statistics_of_single_blocks_are_refused() -> None:
    with pytest.raises(UserError, match="turn off batch_norm"):
        make("cnn_lstm", batch_norm=True, rollout=1.0)


def digest(model: Recurrent[Any]) -> str:
    state = model.state()
    return hashlib.sha256(b"".join(state[k].numpy().tobytes() for k in sorted(state))).hexdigest()


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_fit_with_all_objectives_repeats_and_resumes_bit_for_bit(
    stop: int, tmp_path: Path
) -> None:
    everything = {"input_noise": 0.1, **dict.fromkeys(OBJECTIVES, 0.1)}
    whole, again, parted, resumed = (make(**everything) for _ in range(4))
    fit(whole, CLIPS, seed=0, device="cpu")
    fit(again, CLIPS, seed=0, device="cpu")
    assert digest(again) == digest(whole)

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == stop:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"seed": 0, "device": "cpu", "checkpoint": tmp_path, "every": 1}
    with pytest.raises(KeyboardInterrupt):
        fit(parted, CLIPS, report=interrupt, **options)
    numbers: list[int] = []
    fit(resumed, CLIPS, report=lambda epoch: numbers.append(epoch.number), **options)
    assert numbers[-1] == 4
    assert digest(resumed) == digest(whole)


def test_silence_is_learned_without_a_nan() -> None:
    model = make(loss="relative", **dict.fromkeys(OBJECTIVES, 1.0))
    silent = [Clip("test/silence", 60, np.zeros(RATE, dtype=np.float32), RATE)]
    fit(model, silent + CLIPS, seed=0, device="cpu")
    assert all(torch.isfinite(tensor).all() for tensor in model.state().values())
