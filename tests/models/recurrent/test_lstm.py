"""The paper's first model: names of its weights, and its gates."""

from __future__ import annotations

import torch

from notedecay.models import Signal, create
from notedecay.models.recurrent.keras_lstm import GatedLstm
from notedecay.models.recurrent.lstm import Lstm

SIGNAL = Signal(instrument="guitar", rate=2800)


def make(**config: object) -> Lstm:
    lstm = create("lstm", SIGNAL, config)
    assert isinstance(lstm, Lstm)
    return lstm


def test_weights_have_the_names_of_saved_files() -> None:
    core = [f"lstm.{w}_{d}_l0" for w in ("weight", "bias") for d in ("ih", "hh")]
    layers = ("input_layer", "output_layer")
    dense = [f"{layer}.{w}" for layer in layers for w in ("weight", "bias")]
    for gates in ("sigmoid", "hard_sigmoid"):
        assert sorted(make(gates=gates).state()) == sorted([*core, *dense, "mean", "std"])


def test_hard_gates_change_the_output_of_the_same_weights() -> None:
    smooth, hard = make(units=16), make(units=16, gates="hard_sigmoid")
    assert isinstance(hard.net.core, GatedLstm)
    assert not isinstance(smooth.net.core, GatedLstm)
    hard.restore(smooth.state())
    blocks = torch.randn(1, 20, smooth.blocks.size, generator=torch.Generator().manual_seed(0))
    difference = (smooth.net(blocks)[0] - hard.net(blocks)[0]).abs().max().item()
    assert 1e-4 < difference < 1e-1
