"""The authors' settings, as they are known from their code."""

from __future__ import annotations

import pytest
import torch

from notedecay.data.note import Clip
from notedecay.models import MODELS, Signal, create
from notedecay.models.recurrent.model import Recurrent
from notedecay.models.recurrent.presets import PAPER
from notedecay.training import Epoch, fit
from tests.synthetic import damped

SIGNAL = Signal(instrument="guitar", rate=2940, prime_seconds=0.33, highpass_hz=0.0)


@pytest.mark.parametrize("name", sorted(PAPER))
def test_the_settings_are_the_authors(name: str) -> None:
    model = create(name, SIGNAL, PAPER[name])
    assert isinstance(model, Recurrent)
    config = model.config
    assert (config.units, config.layers, config.resolution) == (512, 1, 60)
    assert (config.epochs, config.batch, config.schedule) == (180, 10, "constant")
    assert (config.optimiser, config.learning_rate) == ("rmsprop", 1e-3)
    assert (config.level, config.loss, config.transpose) == ("global", "absolute", 0)
    assert model.blocks.size == 49


def test_no_setting_is_left_to_a_default() -> None:
    for name, settings in PAPER.items():
        assert set(MODELS[name].Config.model_fields) == set(settings), name


def test_gradients_are_not_clipped() -> None:
    clips = [Clip("test/200", 60, damped([200], [1.5], seconds=1.0, rate=2940), 2940)]
    weights = []
    for clip_norm in (PAPER["lstm"]["clip_norm"], 1e30):
        settings = {"units": 16, "epochs": 2, "learning_rate": 0.5, "clip_norm": clip_norm}
        model = create("lstm", SIGNAL, PAPER["lstm"] | settings)
        epochs: list[Epoch] = []
        fit(model, clips, seed=0, device="cpu", report=epochs.append)
        assert max(epoch.metrics["grad_norm"] for epoch in epochs) > 1
        assert isinstance(model, Recurrent)
        weights.append(torch.cat([w.flatten() for w in model.state().values()]))
    assert torch.equal(*weights)
