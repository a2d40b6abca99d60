"""Saved models of format 1: what they were called, and that they continue as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import LearnedContinuator, Signal, checksums, create, load
from tests.synthetic import damped

SIGNAL = Signal(instrument="piano", rate=4000)


def write_format_1(
    folder: Path, name: str, config: dict[str, Any], weights: dict[str, torch.Tensor]
) -> None:
    signal = {"highpass_hz": 25.0, "instrument": "piano", "prime_seconds": 0.33, "rate": 4000}
    described = {"config": config, "continuator": name, "format": 1, "signal": signal}
    (folder / "continuator.json").write_text(json.dumps(described))
    save_file(weights, folder / "weights.safetensors")
    checksums.write(folder, ("continuator.json", "weights.safetensors"))


TRAINING_1 = {
    "batch": 4, "clip_norm": 1.0, "epochs": 60, "learning_rate": 0.005, "optimiser": "adam",
    "schedule": "cosine",
}  # fmt: skip
BLOCKS_1 = TRAINING_1 | {
    "denormalisation": "inverse", "level": "prime", "recurrent_gain": 1.0, "resolution": 40.0,
    "transpose": 1, "units": 16, "window_seconds": 3.0,
}  # fmt: skip
RECURRENT_1 = BLOCKS_1 | {
    "activation": "linear", "decay_loss": 0.0, "horizon_seconds": 1.0, "input_noise": 0.0,
    "layers": 1, "level_loss": 0.0, "loss": "absolute", "output_activation": "linear",
    "rollout": 0.1, "spectral": False, "spectrum_loss": 0.0, "target": "next",
}  # fmt: skip
CONVOLUTIONS_1 = {
    "batch_norm": True, "convolution_activation": "tanh", "convolutions": 1, "dense": True,
    "filters": 16, "frozen_statistics": False, "gates": "sigmoid", "length": 15, "pool": True,
}  # fmt: skip
FORMAT_1: dict[str, dict[str, Any]] = {
    "modal": TRAINING_1 | {
        "aftersound": True, "beats": True, "dropout": 0.1, "hiss": True, "input_noise": 0.2,
        "members": 2, "neighbours": True, "strokes": 3, "transpose": 0, "units": 8, "weed": False,
    },
    "lstm": RECURRENT_1 | {"gates": "sigmoid"},
    "gru": RECURRENT_1,
    "cnn_lstm": RECURRENT_1 | CONVOLUTIONS_1,
    "lru": BLOCKS_1 | {
        "gated": False, "input_noise": 0.3, "layers": 2, "quietest_db": -40.0, "states": 8,
    },
    "vrnn": BLOCKS_1 | {
        "activation": "linear", "generation": "mean", "generation_seed": 0, "latent": 4,
        "least_std": 0.2,
    },
}  # fmt: skip
TODAY: dict[str, dict[str, Any]] = {
    "modal": {
        "units": 8, "members": 2, "drop_transients": False, "noise_floor": True,
        "augmentations": 3,
    },
    "cnn_lstm": {"units": 16, "resolution": 40, "batch_norm": True},
    "lru": {"units": 16, "resolution": 40, "states": 8, "layers": 2},
    "vrnn": {"units": 16, "resolution": 40, "latent": 4, "min_std": 0.2},
}  # fmt: skip
WEIGHTS_1 = {
    "reference_features": "notes", "floor_level_db": "floor_db", "floor_slopes": "floor_lean",
    "input_layer.weight": "inward.weight", "input_layer.bias": "inward.bias",
    "output_layer.weight": "outward.weight", "output_layer.bias": "outward.bias",
    "code_features.weight": "cause_features.weight", "code_features.bias": "cause_features.bias",
    "decoder_input.weight": "decoder_inward.weight", "decoder_input.bias": "decoder_inward.bias",
} | {
    f"convolutions.stack.{layer}.{part}": f"front.stack.{layer}.{part}"
    for layer in (1, 3)
    for part in (
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked",
    )
} | {
    f"layers.{layer}.recurrence.{new}.weight": f"layers.{layer}.recurrence.{old}.weight"
    for layer in (0, 1)
    for new, old in (("input_layer", "inward"), ("output_layer", "outward"))
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORMAT_1))
def test_a_model_of_format_1_continues_as_the_same_model_of_format_2(
    name: str, tmp_path: Path
) -> None:
    model = create(name, SIGNAL, TODAY.get(name, {"units": 16, "resolution": 40}))
    assert isinstance(model, LearnedContinuator)
    clips = [
        Clip(f"piano/{pitch}", pitch, damped([f, 2 * f], [1.5, 0.9], rate=4000, seed=pitch), 4000)
        for pitch, f in ((57, 220.0), (60, 261.6), (64, 329.6))
    ]
    model.prepare(clips, torch.Generator().manual_seed(0))
    weights = {WEIGHTS_1.get(key, key): value for key, value in model.state().items()}
    assert weights.keys() != model.state().keys()
    write_format_1(tmp_path, name, FORMAT_1[name], weights)
    again = load(tmp_path)
    ignored = {"learning_rate": 0.005, "batch": 4}  # of training alone
    assert again.config == model.config.model_copy(update=ignored)
    prime = clips[0].samples[: SIGNAL.prime_samples]
    assert np.array_equal(again.continue_prime(prime, 900), model.continue_prime(prime, 900))
    (tmp_path / "new").mkdir()
    again.save(tmp_path / "new")
    written = (tmp_path / "new" / "model.json").read_text()
    assert json.loads(written).keys() == {"format", "model", "signal", "config"}
    assert not (tmp_path / "new" / "continuator.json").exists()
    renewed = load(tmp_path / "new")
    assert np.array_equal(renewed.continue_prime(prime, 900), model.continue_prime(prime, 900))


def test_a_file_of_format_1_that_was_changed_is_noticed(tmp_path: Path) -> None:
    model = create("lstm", SIGNAL, {"units": 16, "resolution": 40})
    assert isinstance(model, LearnedContinuator)
    weights = {WEIGHTS_1.get(key, key): value for key, value in model.state().items()}
    write_format_1(tmp_path, "lstm", FORMAT_1["lstm"], weights)
    path = tmp_path / "continuator.json"
    path.write_text(path.read_text().replace("4000", "4001"))
    with pytest.raises(UserError, match=r"continuator\.json is not as it was saved"):
        load(tmp_path)


def test_a_net_with_gates_of_format_1_is_refused(tmp_path: Path) -> None:
    model = create("lru", SIGNAL, TODAY["lru"])
    assert isinstance(model, LearnedContinuator)
    weights = {WEIGHTS_1.get(key, key): value for key, value in model.state().items()}
    weights["layers.0.gate.weight"] = torch.zeros(16, 8)
    write_format_1(tmp_path, "lru", FORMAT_1["lru"] | {"gated": True}, weights)
    with pytest.raises(UserError, match="cannot use the weights"):
        load(tmp_path)
