"""Warnings: each fault is named, and a healthy net has none."""

from __future__ import annotations

import math

import pytest
from torch import Tensor, nn

from notedecay.training.diagnostics.probe import diagnose
from notedecay.training.diagnostics.snapshots import LayerStatistics, Likeness
from notedecay.training.diagnostics.warnings import find_warnings, prime_ignored
from tests.training.diagnostics.small_nets import (
    CLIPS,
    Stub,
    diagnosed,
    make,
    snapshot,
    train,
)


def test_a_layer_without_gradient_is_named():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x).detach()))  # type: ignore[no-any-return]

    seen = diagnose(Stub(Cut()), CLIPS)
    lines = [line for line in find_warnings(seen) if "gradient" in line]
    assert lines == [
        "layer a (Linear) receives no gradient and learns nothing: norm 0.0e+00, "
        f"the median layer's is {min(seen.layers[name].gradient for name in 'bc'):.1e}"
    ]


def test_a_vanishing_gradient_is_named_and_a_small_one_is_not():
    fine, small, gone = (LayerStatistics(kind="Linear", gradient=g) for g in (1.0, 1e-5, 1e-7))
    assert find_warnings(snapshot(a=small, b=fine, c=fine)) == []
    (line,) = find_warnings(snapshot(a=gone, b=fine, c=fine))
    assert line.startswith("layer a (Linear) receives no gradient")


def test_statistics_are_checked_once_they_have_settled():
    apart = LayerStatistics(kind="BatchNorm1d", gradient=1.0, disagreement=3.0)
    assert find_warnings(snapshot(steps=20, norm=apart)) == []
    (line,) = find_warnings(snapshot(norm=apart))
    assert line.startswith("layer norm (BatchNorm1d) generates with other statistics than it")


def test_mostly_dead_layers_are_named():
    half, more = (LayerStatistics(kind="ReLU", dead=share) for share in (0.5, 0.75))
    (line,) = find_warnings(snapshot(a=half, b=more))
    assert line.startswith("layer b (ReLU): 75% of its units are dead")


@pytest.mark.parametrize(
    ("made", "true", "is_ignored"),
    [(1.0, 0.1, True), (0.97, 0.1, True), (0.93, 0.1, False), (0.97, 0.6, False),
     (0.99, 0.6, True), (1.0, 0.97, False), (math.nan, math.nan, False)],
)  # fmt: skip
def test_one_sound_for_every_prime_is_told_from_notes_that_are_alike(made, true, is_ignored):
    assert bool(prime_ignored(Likeness(made=made, true=true, pitches=4))) == is_ignored


TRAINED = {"epochs": 40, "units": 48, "learning_rate": 1e-2}
CONVOLVED = TRAINED | {"epochs": 80, "filters": 8, "length": 5, "batch_norm": True}


@pytest.mark.parametrize(("name", "config"), [("lstm", TRAINED), ("cnn_lstm", CONVOLVED)])
def test_healthy_nets_are_not_warned_of(name, config):
    diagnosis = diagnosed(name, every=20, **config)
    assert diagnosis.warnings() == []
    assert diagnosis.snapshots[-1].likeness.made < 0.7


def test_frozen_statistics_are_found_and_what_comes_of_them():
    lines = diagnosed("cnn_lstm", every=20, **CONVOLVED, frozen_statistics=True).warnings()
    assert lines[0].startswith(
        "layer convolutions.stack.3 (BatchNorm1d) generates with other statistics"
    )
    assert lines[1].startswith("the continuations no longer depend on the prime: those of 8 pitch")
    assert len(lines) == 2


def test_relus_that_died_are_found():
    model = make("cnn_lstm", convolution_activation="relu", filters=8, length=5)
    train(model)
    model.net.convolutions.stack[1].bias.data.fill_(-100.0)
    lines = find_warnings(diagnose(model, CLIPS))
    assert any(line.startswith("layer convolutions.stack.1 (Conv1d) receives no") for line in lines)
    assert any(
        line.startswith("layer convolutions.stack.2 (ReLU): 100% of its units") for line in lines
    )
    assert any("no longer depend on the prime" in line for line in lines)
