"""Statistics of layers, against nets of known gradients and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from notedecay.data.note import Clip
from notedecay.models import LearnedContinuator
from notedecay.training.diagnostics.layers import measure_layers
from notedecay.training.diagnostics.probe import diagnose
from notedecay.training.diagnostics.snapshots import SLICES, LayerStatistics, Snapshot
from notedecay.training.diagnostics.warnings import find_warnings
from tests.training.diagnostics.small_nets import CLIPS, FINE, Stub, make, train


def by_hand(model: LearnedContinuator[Any], clips: Sequence[Clip]) -> dict[str, Tensor]:
    """Gradients of the loss of these notes by each parameter."""
    model.net.train()
    loss = model.loss(model.examples(clips), torch.Generator().manual_seed(0))
    named = dict(model.net.named_parameters())
    return dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))


def test_gradients_and_weights_are_those_of_each_layer():
    model = make(layers=2)
    train(model)
    found = diagnose(model, CLIPS)
    state, gradients = model.state(), by_hand(model, CLIPS)
    assert list(found.layers) == ["input_layer", "lstm.l0", "lstm.l1", "output_layer"]
    for name, layer in found.layers.items():
        start, _, end = name.partition(".")
        own = [key for key in gradients if key.startswith(start) and key.endswith(end)]
        assert layer.gradient == pytest.approx(
            math.sqrt(sum(float(gradients[key].square().sum()) for key in own)), rel=1e-4
        )
        weights = torch.cat([state[key].flatten() for key in own]).numpy()
        assert layer.weight_mean == pytest.approx(weights.mean(), abs=1e-6)
        assert layer.weight_std == pytest.approx(weights.std(), rel=1e-4)
        assert layer.weight_norm == pytest.approx(np.linalg.norm(weights), rel=1e-4)


class Chain(nn.Module):
    """Two dense layers and a recurrent one whose truth is known."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.relu = nn.ReLU()
        self.core = nn.RNN(4, 1, nonlinearity="relu", batch_first=True)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        self.first.weight.data[:, 0] = torch.tensor([1.0, 2.0, -1.0, 0.0])
        self.core.weight_ih_l0.data[0, :] = 1.0
        self.core.weight_hh_l0.data[:] = 0.5

    def forward(self, x: Tensor) -> Tensor:
        return self.core(self.relu(self.first(x)))[0]  # type: ignore[no-any-return]


def measure(net: nn.Module, x: Tensor) -> tuple[dict[str, LayerStatistics], dict[str, list[float]]]:
    return measure_layers(Stub(net), (x,), torch.Generator())


def test_dead_units_are_counted():
    x = torch.linspace(0.1, 1.0, 3 * SLICES).reshape(3, SLICES, 1)
    layers, _ = measure(Chain(), x)
    assert layers["first"].dead == 0.25  # the unit without a weight
    assert layers["relu"].dead == 0.5  # and the one that is always negative
    assert layers["relu"].gradient is None
    assert layers["first"].activation_mean == pytest.approx(0.5 * float(x.mean()), rel=1e-5)
    assert find_warnings(Snapshot(epoch=1, steps=1, layers=layers, reach={}, likeness=FINE)) == []


def test_the_gradient_of_each_time_slice_is_the_sum_of_what_follows():
    layers, reach = measure(Chain(), torch.ones(2, SLICES, 1))
    # of outputs h_t = in_t + h_(t-1) / 2, summed: 1 + 1/2 + 1/4 + ... at each input
    left = np.arange(SLICES, 0, -1)
    following = 2 * (1 - 0.5**left)
    units, notes = 2, 2  # the relu lets two of four units through
    assert layers["core"].over_time == pytest.approx([math.sqrt(notes)] * SLICES)
    assert layers["first"].over_time == pytest.approx(following * math.sqrt(units * notes))
    # the last block's output alone: halved with each block that lies between
    assert reach["core"] == pytest.approx(0.5 ** (left - 1) * math.sqrt(4 * notes))


def test_a_layer_that_is_called_for_each_block_has_time_slices_too():
    class Stepwise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(1, 3)

        def forward(self, x: Tensor) -> Tensor:
            steps = [t * self.dense(x[:, t]) for t in range(x.shape[1])]
            return torch.stack(steps, dim=1)

    layers, reach = measure(Stepwise(), torch.ones(5, SLICES, 1))
    assert layers["dense"].over_time == pytest.approx(np.arange(SLICES) * math.sqrt(15.0))
    assert reach == {}


def test_convolved_blocks_have_units_but_no_time():
    model = make("cnn_lstm", filters=8, length=5, batch_norm=True)
    train(model)
    layers = diagnose(model, CLIPS).layers
    kinds = ["Conv1d", "Tanh", "BatchNorm1d", "Linear", "LSTM", "Linear"]
    assert [layer.kind for layer in layers.values()] == kinds
    has_time = [bool(layer.over_time) for layer in layers.values()]
    assert has_time == [False, False, False, True, True, True]
    model.net.convolutions.stack[1].weight.data[:3] = 0.0
    layers = diagnose(model, CLIPS).layers
    assert layers["convolutions.stack.1"].dead == 3 / 8


@pytest.mark.parametrize(
    ("mean", "var", "expected"),
    [(0.0, 1.0, 0.0), (0.5, 1.0, 0.25), (0.0, 2.0, 0.25), (0.0, 0.5, 0.25), (1.0, 1.0, 1.0)],
)
def test_disagreement_is_the_symmetrised_divergence(mean, var, expected):
    norm = nn.BatchNorm1d(3)
    norm.running_mean.fill_(mean)
    norm.running_var.fill_(var)
    x = torch.randn(200, 3, 20, generator=torch.Generator().manual_seed(0))
    x = (x - x.mean((0, 2), keepdim=True)) / x.std((0, 2), keepdim=True)
    layers, _ = measure(nn.Sequential(norm), x)
    assert layers["0"].disagreement == pytest.approx(expected, abs=1e-3)
    assert norm.running_var.unique().item() == var
