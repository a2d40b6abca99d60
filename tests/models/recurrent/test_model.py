"""Base of the recurrent models: framing, initial weights, loss, and generation in O(T)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import Signal, create
from notedecay.models.recurrent.model import MIN_ENERGY, Framed, Recurrent
from notedecay.training import fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
PRIME = SIGNAL.prime_samples


def make(kind: str = "lstm", **config: Any) -> Recurrent[Any]:
    model = create(kind, SIGNAL, {"units": 32, "resolution": 40, "transpose": 0} | config)
    assert isinstance(model, Recurrent)
    return model


def clip(frequency: float, seconds: float = 2.0, level: float = 1.0) -> Clip:
    samples = level * damped([frequency], [1.5], seconds=seconds, rate=RATE)
    return Clip(f"test/{frequency:g}", 60, samples, RATE)


def prepared(model: Recurrent[Any], clips: list[Clip], seed: int = 0) -> Framed:
    batches = model.prepare(clips, torch.Generator().manual_seed(seed))
    return Framed(*batches.batch(torch.arange(len(batches))))


def loss(model: Recurrent[Any], framed: Framed) -> float:
    return model.loss(framed, torch.Generator()).item()


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("lstm", {}),
    "lstm with tanh": ("lstm", {"activation": "tanh", "output_activation": "tanh"}),
    "lstm with relu": ("lstm", {"activation": "relu", "output_activation": "relu"}),
    "lstm with hard gates": ("lstm", {"gates": "hard_sigmoid"}),
    "lstm on spectra": ("lstm", {"spectral": True}),
    "gru": ("gru", {}),
    "gru on spectra": ("gru", {"spectral": True}),
    "cnn_lstm": ("cnn_lstm", {}),
    "cnn_lstm on spectra": ("cnn_lstm", {"spectral": True, "convolutions": 3}),
    "cnn_lstm with batch norm": ("cnn_lstm", {"convolutions": 2, "batch_norm": True}),
    "cnn_lstm without dense": ("cnn_lstm", {"dense": False, "convolutions": 2}),
}


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("case", KINDS)
def test_carrying_the_memory_equals_predicting_the_grown_sequence(case: str, layers: int) -> None:
    kind, config = KINDS[case]
    model = make(kind, layers=layers, **config)
    prepared(model, [clip(200)])
    size, count = model.blocks.size, 100
    prime = clip(200).samples[:PRIME]
    made = model.continue_prime(prime, count * size).reshape(count, size)

    rms = np.sqrt(np.square(prime).mean())
    grown = torch.from_numpy(model.blocks.cut(prime, PRIME) / rms)[None]
    with torch.no_grad():
        for _ in range(count):
            grown = torch.cat([grown, model.net(grown)[0][:, -1:]], dim=1)
    expected = grown[0, -count:].numpy() * rms
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_global_level_is_undone_by_its_true_inverse() -> None:
    lstm = make(level="global")
    notes = [clip(150, level=0.3), clip(250, level=0.9)]
    framed = prepared(lstm, notes)
    everything = np.concatenate([n.samples for n in notes])
    assert float(lstm.net.std) == pytest.approx(everything.std(), rel=1e-5)
    assert float(lstm.net.mean) == pytest.approx(everything.mean(), abs=1e-6)
    back = framed.blocks[0] * lstm.net.std + lstm.net.mean
    assert np.allclose(back, lstm.blocks.cut(notes[0].samples, PRIME), atol=1e-6)


def test_prime_level_makes_loud_and_soft_equal() -> None:
    framed = prepared(make(level="prime"), [clip(200), clip(200, level=0.01)])
    assert torch.allclose(framed.blocks[0], framed.blocks[1], atol=1e-4)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("cnn_lstm", 4)])
@pytest.mark.parametrize("gain", [1.0, 1.1])
def test_weights_are_initialised_as_in_the_paper(kind: str, gates: int, gain: float) -> None:
    model = make(kind, units=64, recurrent_gain=gain)
    prepared(model, [clip(200)])
    core = model.net.core
    assert core.weight_hh_l0.shape == (gates * 64, 64)
    for gate in torch.split(core.weight_hh_l0.detach(), 64):
        assert torch.allclose(gate @ gate.T, gain**2 * torch.eye(64), atol=1e-5)
    bias = (core.bias_ih_l0 + core.bias_hh_l0).detach().view(gates, 64)
    expected = [0, 1, 0, 0] if gates == 4 else [0, 0, 0]
    assert bias.unique(dim=1).flatten().tolist() == expected
    dense = model.net.input_layer.weight
    limit = np.sqrt(6 / sum(dense.shape))
    assert 0.9 * limit < dense.abs().max() <= limit


def test_transposed_notes_are_learned_as_well() -> None:
    assert len(prepared(make(transpose=2), [clip(200), clip(300)]).blocks) == 10


def test_padding_does_not_count() -> None:
    lstm = make()
    short, long = clip(200, seconds=1.0), clip(300, seconds=2.0)
    both = prepared(lstm, [short, long])
    assert both.mask[0].sum() < both.mask[1].sum() == both.blocks.shape[1]
    errors = []
    for note in (short, long):
        alone = prepared(lstm, [note])
        errors.append(loss(lstm, alone) * float(alone.mask[:, 1:].sum()))
    expected = sum(errors) / float(both.mask[:, 1:].sum())
    assert loss(lstm, both) == pytest.approx(expected, rel=1e-4)


def test_the_target_is_the_next_block() -> None:
    lstm = make(level="global")
    framed = prepared(lstm, [clip(200)])
    predicted, _ = lstm.net(framed.blocks)
    expected = (predicted[:, :-1] - framed.blocks[:, 1:]).square().mean()
    assert torch.allclose(lstm.loss(framed, torch.Generator()), expected)


def test_the_loss_without_input_noise_needs_no_random_numbers() -> None:
    model = make()
    framed, generator = prepared(model, [clip(200)]), torch.Generator().manual_seed(0)
    before = generator.get_state()
    model.loss(framed, generator)
    assert torch.equal(generator.get_state(), before)


def test_silence_is_learned_without_a_nan() -> None:
    model = make(loss="relative", epochs=4, batch=2)
    silent = Clip("test/silence", 60, np.zeros(2 * RATE, np.float32), RATE)
    fit(model, [silent, clip(200), clip(300)], seed=0, device="cpu")
    assert all(torch.isfinite(tensor).all() for tensor in model.state().values())


@pytest.mark.parametrize("kind", ["lstm", "gru", "cnn_lstm"])
def test_teacher_forced_error_is_the_loss_without_what_training_adds(kind: str) -> None:
    notes = [clip(200, seconds=1.0), clip(300)]
    plain, noisy = make(kind), make(kind, input_noise=1.0, loss="relative", transpose=1)
    framed = prepared(plain, notes)
    noisy.restore(plain.state())
    assert plain.teacher_forced_error(notes) == pytest.approx(loss(plain, framed), rel=1e-5)
    assert noisy.teacher_forced_error(notes) == pytest.approx(loss(plain, framed), rel=1e-5)


def test_relative_loss_weighs_a_decay_to_its_end() -> None:
    lstm = make(loss="relative")
    framed = prepared(lstm, [clip(200)])
    predicted, _ = lstm.net(framed.blocks[:, :-1])
    target = framed.blocks[0, 1:]
    error = (predicted[0] - target).square().mean(dim=1)
    weight = 1 / (target.square().mean(dim=1) + MIN_ENERGY)
    assert weight[-1] > 10 * weight[0]
    expected = (error * weight).sum() / weight.sum()
    assert loss(lstm, framed) == pytest.approx(expected.item(), rel=1e-4)


def test_notes_that_do_not_suit_are_named() -> None:
    lstm = make()
    with pytest.raises(UserError, match="test/200 has 670 samples"):
        prepared(lstm, [clip(200, seconds=0.335)])
    with pytest.raises(UserError, match="at 2000 Hz: prepare"):
        prepared(lstm, [Clip("test/x", 60, np.zeros(9000, np.float32), 4000)])


def test_a_block_longer_than_the_prime_is_refused() -> None:
    signal = Signal(instrument="test", rate=RATE, prime_seconds=0.1)
    with pytest.raises(UserError, match="blocks per second"):
        create("lstm", signal, {"resolution": 5})
