"""Free-running generation: folded dense layers, steps of one layer, and constant memory."""

from __future__ import annotations

import tracemalloc
from collections import deque
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from notedecay.data.note import Clip
from notedecay.models import Signal, create
from notedecay.models.recurrent.feedback import LayerState, layer_gates, layer_step
from notedecay.models.recurrent.keras_lstm import GatedLstm
from notedecay.models.recurrent.model import Blockwise
from notedecay.training import fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
PRIMES = [damped([f], [1.5], rate=RATE)[: SIGNAL.prime_samples] for f in (150, 220, 330)]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("lstm", {}),
    "lstm with tanh": ("lstm", {"activation": "tanh"}),
    "lstm of two layers": ("lstm", {"layers": 2}),
    "lstm with hard gates": ("lstm", {"gates": "hard_sigmoid"}),
    "gru": ("gru", {}),
    "cnn_lstm": ("cnn_lstm", {}),
    "vrnn": ("vrnn", {}),
    "vrnn that samples": ("vrnn", {"generation": "sample"}),
    "lru": ("lru", {"recurrent_gain": 1.0}),
}


def make(case: str) -> Blockwise[Any]:
    kind, config = KINDS[case]
    settings = {"units": 32, "resolution": 40, "transpose": 0, "recurrent_gain": 1.1} | config
    model = create(kind, SIGNAL, settings)
    assert isinstance(model, Blockwise)
    model.net.init_weights(torch.Generator().manual_seed(0), model.config.recurrent_gain)
    return model


@pytest.mark.parametrize("case", KINDS)
def test_a_batch_equals_its_notes_one_by_one(case: str) -> None:
    model, lengths = make(case), [4000, 0, 2345]
    together = model.continue_primes(PRIMES, lengths)
    for prime, length, made in zip(PRIMES, lengths, together, strict=True):
        alone = model.continue_prime(prime, length)
        assert made.shape == alone.shape == (length,)
        assert np.allclose(made, alone, rtol=1e-4, atol=1e-5)
    assert np.abs(together[0]).max() > 1e-3


@pytest.mark.parametrize("case", KINDS)
def test_the_beginning_of_a_longer_continuation_is_the_shorter_one(case: str) -> None:
    model = make(case)
    long = model.continue_prime(PRIMES[0], 5000)
    for length in (1, 49, 51, 1234):
        assert np.array_equal(model.continue_prime(PRIMES[0], length), long[:length])


@pytest.mark.parametrize("case", ["lstm", "gru", "vrnn"])
def test_folded_layers_make_what_they_make_one_by_one(case: str) -> None:
    net = make(case).net
    hidden = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        folded = net._folded.of(net, 32)  # type: ignore[union-attr, operator]
        assert folded != net.feedback
        apart = (folded(hidden) - net.feedback(hidden)).abs()  # type: ignore[operator]
        assert apart.max() < 2e-6


@pytest.mark.parametrize("case", ["lstm with tanh", "cnn_lstm", "vrnn that samples"])
def test_layers_that_are_not_affine_are_not_folded(case: str) -> None:
    net = make(case).net
    assert net._folded.of(net, 32) == net.feedback  # type: ignore[union-attr, operator]


def test_trained_and_restored_weights_are_folded_anew() -> None:
    model, fresh = make("lstm"), make("lstm")
    before = model.continue_prime(PRIMES[0], 2000)
    clip = Clip("test/a", 60, damped([150], [1.5], seconds=1.0, rate=RATE), RATE)
    again = create("lstm", SIGNAL, model.config.model_dump() | {"epochs": 2})
    again.continue_prime(PRIMES[0], 2000)
    fit(again, [clip], seed=1, device="cpu")
    fresh.restore(again.state())  # type: ignore[attr-defined]
    after = fresh.continue_prime(PRIMES[0], 2000)
    assert np.array_equal(after, again.continue_prime(PRIMES[0], 2000))
    assert np.abs(after - before).max() > 1e-3
    model.restore(again.state())  # type: ignore[attr-defined]
    assert np.array_equal(model.continue_prime(PRIMES[0], 2000), after)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, GatedLstm])
def test_a_step_of_a_layer_is_that_of_torch(kind: type[nn.LSTM]) -> None:
    torch.manual_seed(0)
    core = kind(5, 7, 1) if kind is GatedLstm else kind(5, 7, 1, batch_first=True)
    inputs, hidden, cell = torch.randn(2, 5), torch.randn(2, 7), torch.randn(2, 7)
    memory = hidden[None] if kind is nn.GRU else (hidden[None], cell[None])
    with torch.no_grad():
        expected, after = core(inputs[:, None], memory)
        state = LayerState(hidden, hidden if kind is nn.GRU else cell)
        made = layer_step(core, layer_gates(core, 0, inputs, hidden), state)
    assert torch.allclose(made.hidden, expected[:, 0], atol=1e-6)
    if kind is not nn.GRU:
        assert torch.allclose(made.cell, after[1][0], atol=1e-6)


@pytest.mark.parametrize("case", KINDS)
def test_a_stream_goes_on_for_ever_in_constant_memory(case: str) -> None:
    net = make(case).net
    prime = torch.randn(1, 13, 50, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        blocks = net.stream(prime)
        first = torch.stack(list(islice(blocks, 40)), dim=1)
        assert torch.equal(first, net.generate(prime, 40))
        tracemalloc.start()
        peaks = []
        for _ in range(2):
            tracemalloc.reset_peak()
            last = deque(islice(blocks, 300), maxlen=1).pop()
            assert torch.isfinite(last).all()
            peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
