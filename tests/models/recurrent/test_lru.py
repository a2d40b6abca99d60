"""The linear recurrent unit: its scan, its states as damped oscillations, and odd inputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.metrics.decay import decay_times, partial_envelopes
from notedecay.models import Signal, create, load
from notedecay.models.recurrent.lru import Lru
from notedecay.models.recurrent.lru_net import T60_RANGE, LinearRecurrence, scan
from notedecay.models.recurrent.model import Framed
from notedecay.training import fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
PRIME = SIGNAL.prime_samples
TINY = {"units": 32, "states": 24, "resolution": 40, "transpose": 0, "batch": 4}


def make(**config: Any) -> Lru:
    model = create("lru", SIGNAL, TINY | config)
    assert isinstance(model, Lru)
    return model


def clip(frequency: float, seconds: float = 2.0, t60: float = 1.5) -> Clip:
    samples = damped([frequency], [t60], seconds=seconds, rate=RATE)
    return Clip(f"test/{frequency:g}", 60, samples, RATE)


def prepared(model: Lru, clips: list[Clip], seed: int = 0) -> Framed:
    batches = model.prepare(clips, torch.Generator().manual_seed(seed))
    return Framed(*batches.batch(torch.arange(len(batches))))


def loss(model: Lru, blocks: Tensor, mask: Tensor) -> float:
    return model.loss((blocks, mask), torch.Generator().manual_seed(0)).item()


def one_by_one(inputs: Tensor, eigenvalues: Tensor, before: Tensor) -> Tensor:
    states = [before]
    for block in inputs.unbind(1):
        states.append(eigenvalues * states[-1] + block)
    return torch.stack(states[1:], dim=1)


@pytest.mark.parametrize("blocks", [1, 2, 3, 8, 90, 300])
def test_the_scan_is_the_recurrence_in_values_and_gradients(blocks: int) -> None:
    rng = torch.Generator().manual_seed(blocks)
    modulus = (-torch.logspace(-6, 0, 20)).exp()  # 0.999999 to 0.37
    given = [
        torch.randn(3, blocks, 20, generator=rng, dtype=torch.complex64),
        torch.polar(modulus, math.pi * torch.rand(20, generator=rng)),
        torch.randn(3, 20, generator=rng, dtype=torch.complex64),
    ]
    target = torch.randn(3, blocks, 20, generator=rng, dtype=torch.complex64)
    found = []
    for run in (scan, one_by_one):
        leaves = [tensor.clone().requires_grad_() for tensor in given]
        states = run(*leaves)
        error = (states - target).abs().square().mean()
        found.append([states.detach(), *torch.autograd.grad(error, leaves)])
    for ours, theirs in zip(*found, strict=True):
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_states_are_initialised_over_all_decays_and_angles() -> None:
    model = make(states=2000)
    prepared(model, [clip(200)])
    (recurrence,) = (m for m in model.net.modules() if isinstance(m, LinearRecurrence))
    t60, angle = recurrence.t60.detach(), recurrence.angle.detach()
    assert T60_RANGE[0] < t60.min() < 0.22
    assert 18 < t60.max() < T60_RANGE[1]
    assert t60.median() == pytest.approx(2.0, rel=0.15)
    assert 0 <= angle.min() < 0.01
    assert math.pi - 0.01 < angle.max() <= math.pi
    assert recurrence.eigenvalues.angle().detach().allclose(angle, atol=1e-6)


@settings(deadline=None)
@given(st.floats(-80.0, 80.0), st.floats(-100.0, 100.0))
def test_no_state_can_grow_or_stay(log_decay: float, angle: float) -> None:
    recurrence = LinearRecurrence(4, 1, 40.0)
    recurrence.log_decay.data.fill_(log_decay)
    recurrence.angle.data.fill_(angle)
    assert recurrence.eigenvalues.abs().item() < 1.0


def test_one_state_learns_the_decay_of_one_partial() -> None:
    model, note = make(units=16, states=1, input_noise=0), clip(207, seconds=3.0, t60=1.8)
    framed = prepared(model, [note])
    (recurrence,) = (m for m in model.net.modules() if isinstance(m, LinearRecurrence))
    turn = math.remainder(2 * math.pi * 207 * model.blocks.size / RATE, 2 * math.pi)
    recurrence.angle.data.fill_(abs(turn) + 0.02)
    recurrence.log_decay.data.fill_(math.log(math.log(1e3) / (6.0 * 40)))  # far off: 6 s
    optimiser = torch.optim.LBFGS(
        model.net.parameters(), max_iter=150, line_search_fn="strong_wolfe"
    )

    def error() -> float:
        optimiser.zero_grad()
        value = model.loss(framed, torch.Generator())
        value.backward()  # type: ignore[no-untyped-call]
        return value.item()

    optimiser.step(error)
    assert recurrence.t60.item() == pytest.approx(1.8, rel=0.05)
    assert recurrence.angle.item() == pytest.approx(abs(turn), abs=2e-3)
    made = model.continue_prime(note.samples[:PRIME], 3 * RATE).astype(np.float64)
    envelope = partial_envelopes(made, RATE, np.array([207.0]))
    assert decay_times(envelope, np.array([-150.0]))[0] == pytest.approx(1.8, rel=0.05)
    truth = note.samples[PRIME:]
    assert np.square(made[: len(truth)] - truth).sum() < 0.02 * np.square(truth).sum()


@pytest.mark.parametrize("layers", [1, 3])
def test_carrying_the_states_equals_running_over_the_whole_sequence(layers: int) -> None:
    model, count = make(layers=layers), 60
    blocks = prepared(model, [clip(200), clip(310)]).blocks
    with torch.no_grad():
        whole, after = model.net(blocks)
        start, memory = model.net(blocks[:, :7])
        parts = [start]
        for block in blocks[:, 7:].unbind(1):
            predicted, memory = model.net(block[:, None], memory)
            parts.append(predicted)
        assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)
        assert torch.allclose(memory, after, atol=1e-5)
        silent = torch.cat([blocks[:, :13], torch.zeros(2, count, model.blocks.size)], dim=1)
        ringing = model.net(silent)[0][:, 12 : 12 + count]
        assert torch.allclose(model.net.generate(blocks[:, :13], count), ringing, atol=1e-5)


def test_a_prime_60_db_down_is_continued_60_db_down() -> None:
    model = make(layers=2, level="global")
    prepared(model, [clip(200), clip(310)])
    prime = clip(240).samples[:PRIME]
    model.net.mean.zero_()
    loud = model.continue_prime(prime, 3000)
    soft = 1e3 * model.continue_prime(prime / 1e3, 3000)
    assert np.allclose(soft, loud, rtol=0, atol=1e-3 * np.abs(loud).max())


def test_padding_does_not_count() -> None:
    model = make(layers=2, input_noise=0)
    short, long = clip(200, seconds=1.0), clip(300)
    blocks, mask = prepared(model, [short, long])
    garbage = torch.where(mask > 0, blocks, torch.full_like(blocks, 5.0))
    assert loss(model, garbage, mask) == loss(model, blocks, mask)
    total = 0.0
    for note in (short, long):
        alone = prepared(model, [note])
        total += loss(model, *alone) * float(alone.mask[:, 1:].sum())
    assert loss(model, blocks, mask) == pytest.approx(total / float(mask[:, 1:].sum()), rel=1e-5)


def test_the_loss_is_that_of_the_continuation_from_the_prime() -> None:
    model = make(input_noise=0)
    framed = prepared(model, [clip(200)])
    prime = PRIME // model.blocks.size
    untouched = loss(model, *framed)
    silence = Framed(torch.zeros_like(framed.blocks), framed.mask)
    assert loss(model, *silence) == 0.0
    with torch.no_grad():
        first = model.net(framed.blocks[:, :prime])[0]
        later = model.net.generate(framed.blocks[:, :prime], framed.blocks.shape[1] - prime)
        predicted = torch.cat([first[:, :-1], later], dim=1)
    target = framed.blocks[:, 1:]
    share = (predicted - target).square().mean(2) / (target.square().mean(2) + 1e-4)
    assert untouched == pytest.approx(share.mean().item(), rel=1e-4)


def test_training_is_repeated_by_its_seed_and_kept_in_a_file_of_reals(tmp_path: Path) -> None:
    notes = [clip(f, seconds=1.0) for f in (150, 200, 265, 310)]

    def trained(seed: int) -> tuple[Lru, list[float]]:
        model, losses = make(epochs=15, input_noise=0.1), list[float]()
        fit(
            model,
            notes,
            seed=seed,
            device="cpu",
            report=lambda epoch: losses.append(epoch.metrics["train_loss"]),
        )
        return model, losses

    (model, losses), (again, _), (other, _) = trained(0), trained(0), trained(1)
    assert losses[-1] < 0.7 * losses[0]
    state = model.state()
    assert all(value.equal(again.state()[key]) for key, value in state.items())
    assert not all(value.equal(other.state()[key]) for key, value in state.items())
    assert not any(value.is_complex() for value in state.values())
    model.save(tmp_path)
    prime = notes[0].samples[:PRIME]
    made = load(tmp_path).continue_prime(prime, 3000)
    assert np.array_equal(made, model.continue_prime(prime, 3000))


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["silence", "constant", "noise", "click"]),
    st.floats(1e-12, 1e3),
)
def test_any_prime_decays(kind: str, level: float) -> None:
    model = make(layers=2, resolution=10)
    prepared(model, [clip(200)])
    prime = {
        "silence": np.zeros(PRIME),
        "constant": np.ones(PRIME),
        "noise": np.random.default_rng(0).standard_normal(PRIME),
        "click": np.eye(1, PRIME, 100)[0],
    }[kind]
    made = model.continue_prime((level * prime).astype(np.float32), 60 * RATE)
    assert np.isfinite(made).all()
    assert made.any() == (kind != "silence")
    assert np.abs(made[-RATE:]).max() <= 1e-4 * np.abs(made).max()


@pytest.mark.parametrize("value", [0.0, 0.5, 1e-12])
def test_notes_without_a_sound_can_be_learned(value: float) -> None:
    model = make(layers=2, epochs=5, learning_rate=0.05)
    still = Clip("test/still", 60, np.full(2500, value, np.float32), RATE)
    fit(model, [still], seed=0, device="cpu")
    assert all(weight.isfinite().all() for weight in model.state().values())
    assert np.isfinite(model.continue_prime(still.samples[:PRIME], 3000)).all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"states": 0}, "greater than or equal to 1"),
        ({"recurrent_gain": 1.1}, "less than or equal to 1"),
        ({"activation": "tanh"}, "unknown parameter activation"),
    ],
)
def test_a_wrong_setting_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(**config)
