"""A diagnosis changes nothing, and its snapshots outlive an interruption."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from notedecay.models import MODELS, create
from notedecay.models.recurrent.model import Blockwise
from notedecay.training import fit
from notedecay.training.diagnostics import snapshots as files
from notedecay.training.diagnostics.pictures import heat_maps
from notedecay.training.diagnostics.probe import Diagnosis, continuation_likeness, diagnose
from notedecay.training.diagnostics.snapshots import LayerStatistics
from notedecay.training.diagnostics.warnings import find_warnings, prime_ignored
from tests.training.diagnostics.small_nets import CLIPS, NETS, SIGNAL, make, snapshot, train


@pytest.fixture(params=NETS)
def net(request) -> tuple[str, dict[str, Any]]:
    return NETS[request.param]


def test_training_is_the_same_bit_for_bit(net):
    name, config = net
    seen, unseen = make(name, **config), make(name, **config)
    train(seen, report=Diagnosis(seen, CLIPS))
    train(unseen)
    expected = unseen.state()
    assert all(torch.equal(value, expected[key]) for key, value in seen.state().items())


def test_a_snapshot_changes_nothing(net):
    name, config = net
    model = make(name, **config)
    train(model)
    model.net.train()
    modules = list(model.net.modules())
    before, rng = model.state(), torch.get_rng_state()
    gradients = [None if p.grad is None else p.grad.clone() for p in model.net.parameters()]
    first, second = diagnose(model, CLIPS), diagnose(model, CLIPS)
    assert first == second
    assert all(torch.equal(value, before[key]) for key, value in model.state().items())
    assert torch.equal(torch.get_rng_state(), rng)
    assert all(module.training and not module._forward_hooks for module in modules)
    for parameter, gradient in zip(model.net.parameters(), gradients, strict=True):
        assert gradient is not None
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, gradient)


@pytest.mark.parametrize(("name", "is_ignored"), [("esprit", False), ("repeat", False),
                                               ("silence", True)])  # fmt: skip
def test_models_without_a_net_have_continuations_alone(name, is_ignored):
    seen = diagnose(create(name, SIGNAL, {}), CLIPS)
    assert seen.layers == {}
    assert heat_maps([seen]) == {}
    assert (
        any("no longer depend on the prime" in line for line in find_warnings(seen)) == is_ignored
    )


def test_one_pitch_gives_no_warning():
    found = continuation_likeness(create("silence", SIGNAL, {}), CLIPS[:1])
    assert found.pitches == 1
    assert prime_ignored(found) == []


def test_snapshots_are_taken_every_few_epochs_and_at_the_last():
    model = make(epochs=5)
    diagnosis = Diagnosis(model, CLIPS, every=2)
    assert diagnosis.warnings() == []
    train(model, report=diagnosis)
    assert [one.epoch for one in diagnosis.snapshots] == [2, 4, 5]
    assert [one.steps for one in diagnosis.snapshots] == [8, 16, 20]


def run(path: Path, stop: Callable[[int], bool] = lambda _: False) -> Diagnosis:
    model = make(epochs=12)
    diagnosis = Diagnosis(model, CLIPS, every=2, path=path / "snapshots.json")

    def report(epoch: Any) -> None:
        diagnosis(epoch)
        if stop(epoch.number):
            raise KeyboardInterrupt

    train(model, report=report, checkpoint=path)
    return diagnosis


@pytest.mark.parametrize("stop", [4, 7, 12])
def test_snapshots_outlive_an_interruption(stop, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parted", lambda epoch: epoch == stop)
    assert run(tmp_path / "parted").snapshots == run(tmp_path / "whole").snapshots


def test_snapshots_are_the_same_in_a_file(tmp_path):
    infinite = snapshot(a=LayerStatistics(kind="X", gradient=math.inf))
    snapshots = [diagnose(make(), CLIPS, 1), infinite]
    files.write_snapshots(snapshots, tmp_path / "snapshots.json")
    assert files.read_snapshots(tmp_path / "snapshots.json") == snapshots
    assert files.read_snapshots(tmp_path / "none.json") == []


@pytest.mark.parametrize("name", [n for n, kind in MODELS.items() if kind.learned])
def test_every_net_can_be_diagnosed(name):
    small = {"units": 16, "resolution": 30} if issubclass(MODELS[name], Blockwise) else {}
    model = create(name, SIGNAL, {**small, "epochs": 2, "transpose": 0})
    diagnosis = Diagnosis(model, CLIPS)
    fit(model, CLIPS, seed=0, device="cpu", report=diagnosis)
    assert [one.epoch for one in diagnosis.snapshots] == [1, 2]
    figures = heat_maps(diagnosis.snapshots)
    assert {"gradient", "weights"} <= figures.keys()
