"""The paper's second model learns; with the statistics of Keras 1.0.4 it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from notedecay.data.note import Clip
from notedecay.metrics import attractor
from notedecay.models import Signal, create
from notedecay.models.recurrent.cnn_lstm import CnnLstm
from notedecay.models.recurrent.model import Recurrent
from notedecay.training import Epoch, fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
PRIME = SIGNAL.prime_samples
CLIPS = [
    Clip(f"test/{f}", i, damped([f, 2 * f], [3.0, 2.0], [1, 0.5], seconds=1.8, rate=RATE), RATE)
    for i, f in enumerate([150, 200, 265, 310])
]


def make(kind: str = "cnn_lstm", **config: Any) -> Recurrent[Any]:
    settings = {"units": 48, "resolution": 40, "transpose": 0, "batch": 4}
    model = create(kind, SIGNAL, settings | config)
    assert isinstance(model, Recurrent)
    return model


def train(kind: str, seed: int = 0, **config: Any) -> tuple[Recurrent[Any], float]:
    """The model and the loss of its last epoch."""
    settings = {"learning_rate": 5e-3, "level": "global", "input_noise": 0.1, "epochs": 200}
    model = make(kind, **settings | config)
    epochs: list[Epoch] = []
    fit(model, CLIPS, seed=seed, device="cpu", report=epochs.append)
    return model, epochs[-1].metrics["train_loss"]


def tails_alike(model: Recurrent[Any]) -> float:
    made = model.continue_primes([c.samples[:PRIME] for c in CLIPS], [2 * RATE] * len(CLIPS))
    return attractor(made, RATE)


def test_it_learns_the_next_block_at_least_as_well_as_the_lstm() -> None:
    errors = {
        kind: np.mean([train(kind, seed)[0].teacher_forced_error(CLIPS) for seed in range(3)])
        for kind in ("cnn_lstm", "lstm")
    }
    assert errors["lstm"] < 0.05
    assert errors["cnn_lstm"] <= errors["lstm"]


def test_only_frozen_statistics_end_in_one_sound_for_every_prime() -> None:
    settings = {
        "batch_norm": True,
        "convolution_activation": "linear",
        "filters": 8,
        "length": 9,
        "input_noise": 0.3,
        "epochs": 300,
    }
    sound, loss = train("cnn_lstm", **settings)
    frozen, frozen_loss = train("cnn_lstm", **settings, frozen_statistics=True)
    assert frozen_loss == pytest.approx(loss)  # training shows no fault
    assert sound.teacher_forced_error(CLIPS) < loss
    assert frozen.teacher_forced_error(CLIPS) > 3 * loss
    assert tails_alike(sound) < 0.6
    assert tails_alike(frozen) > 0.99


def test_statistics_are_saved_and_reset_by_a_new_fit() -> None:
    model = make(batch_norm=True, epochs=2)
    fit(model, CLIPS, seed=0, device="cpu")
    first = model.state()
    means = [key for key in first if key.endswith("running_mean")]
    assert len(means) == 1
    assert first[means[0]].any()
    fit(model, CLIPS, seed=0, device="cpu")
    assert all(first[key].equal(value) for key, value in model.state().items())


def test_an_interrupted_fit_has_the_statistics_of_a_whole_one(tmp_path: Path) -> None:
    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 3:
            raise KeyboardInterrupt

    whole, parted, resumed = (make(batch_norm=True, epochs=4, batch=2) for _ in range(3))
    fit(whole, CLIPS, seed=0, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        fit(parted, CLIPS, seed=0, device="cpu", report=interrupt, checkpoint=tmp_path, every=2)
    fit(resumed, CLIPS, seed=0, device="cpu", checkpoint=tmp_path, every=2)
    expected = whole.state()
    assert all(expected[key].equal(value) for key, value in resumed.state().items())


def test_without_the_dense_layer_the_filters_are_the_inputs_of_the_lstm() -> None:
    model = make(dense=False, convolutions=2, filters=16)
    assert isinstance(model.net.input_layer, nn.Identity)
    assert model.net.core.input_size == 8 * (model.blocks.size // 2)
    with_dense = make(convolutions=2, filters=16)
    assert isinstance(with_dense, CnnLstm)
    assert with_dense.net.core.input_size == 48
