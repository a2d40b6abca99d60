"""Models by name, with typed settings, saved and loaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from notedecay.core.errors import UserError
from notedecay.models import (
    MODELS,
    Continuator,
    Signal,
    create,
    load,
)
from tests.synthetic import damped

SIGNAL = Signal(instrument="piano", rate=4000)
TINY = {"units": 16, "resolution": 40}
SMALL: dict[str, dict[str, Any]] = dict.fromkeys(("lstm", "gru", "cnn_lstm", "vrnn", "lru"), TINY)
KINDS = sorted(MODELS)


def make(name: str) -> Continuator[Any]:
    return create(name, SIGNAL, SMALL.get(name, {}))


def note() -> np.ndarray:
    return damped([220, 440, 663], [1.5, 1.0, 0.7], rate=SIGNAL.rate, noise_db=-80)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("samples", [0, 1, 777, 5000])
def test_any_length(name: str, samples: int) -> None:
    made = make(name).continue_prime(note()[: SIGNAL.prime_samples], samples)
    assert made.shape == (samples,)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


@pytest.mark.parametrize("name", KINDS)
def test_silence_stays_silence(name: str) -> None:
    made = make(name).continue_prime(np.zeros(SIGNAL.prime_samples, np.float32), 3000)
    assert not made.any()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("level", [1e-6, 1e-2, 1.9])
def test_level_of_the_prime_is_kept(name: str, level: float) -> None:
    model = make(name)
    prime = note()[: SIGNAL.prime_samples]
    expected = model.continue_prime(prime, 2000) * level
    made = model.continue_prime((prime * level).astype(np.float32), 2000)
    assert np.allclose(made, expected, atol=2e-3 * level)


@pytest.mark.parametrize("name", KINDS)
def test_a_batch_continues_each_prime_as_alone(name: str) -> None:
    model = make(name)
    prime = note()[: SIGNAL.prime_samples]
    lengths = [1000, 0, 1500]
    primes = [prime, prime[::-1].copy(), 0.1 * prime]
    for p, n, made in zip(primes, lengths, model.continue_primes(primes, lengths), strict=True):
        assert np.allclose(made, model.continue_prime(p, n), atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_saved_and_loaded_continues_the_same(name: str, tmp_path: Path) -> None:
    model = make(name)
    model.save(tmp_path)
    again = load(tmp_path)
    prime = note()[: SIGNAL.prime_samples]
    assert type(again) is type(model)
    assert again.signal == SIGNAL
    assert again.config == model.config
    assert np.array_equal(again.continue_prime(prime, 900), model.continue_prime(prime, 900))
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("espirt", {}, "did you mean 'esprit'?"),
        ("lstm", {"unit": 64}, "did you mean 'units'?"),
        ("lstm", {"units": 8}, "greater than or equal to 16"),
        ("lstm", {"activation": "sigmoid"}, "'linear', 'tanh' or 'relu'"),
        ("lstm", {"gates": "hard"}, "'sigmoid' or 'hard_sigmoid'"),
        ("gru", {"gates": "hard_sigmoid"}, "unknown parameter gates"),
        ("cnn_lstm", {"filters": 4}, "greater than or equal to 8"),
        ("cnn_lstm", {"length": 53}, "less than or equal to 51"),
        ("cnn_lstm", {"convolutions": 4}, "less than or equal to 3"),
        ("cnn_lstm", {"frozen_statistics": True}, "frozen_statistics needs batch_norm"),
        ("lstm", {"learning_rate": "fast"}, "valid number"),
        ("lstm", {"resolution": float("nan")}, "resolution"),
        ("esprit", {"order": 0}, "order"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        create(name, SIGNAL, config)
    assert "\n" not in str(caught.value)


def test_a_config_may_be_given_typed() -> None:
    config = MODELS["esprit"].Config(order=10)  # type: ignore[call-arg]
    assert create("esprit", SIGNAL, config).config == config


def damage(name: str, text: str | None) -> Any:
    def change(folder: Path) -> None:
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text)

    return change


def describe(**changes: Any) -> Any:
    def change(folder: Path) -> None:
        path = folder / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage("model.json", None), "no model in"),
        (damage("model.json", "{"), "damaged"),
        (damage("model.json", "[]"), "damaged"),
        (damage("weights.safetensors", None), "cannot use the weights"),
        (damage("weights.safetensors", "none"), "cannot use the weights"),
        (describe(format=3), "has format 3, this version reads 1 and 2"),
        (describe(model="harp"), "unknown model 'harp'"),
        (describe(config={"units": 32, "resolution": 40}), "cannot use the weights"),
        (describe(signal={"instrument": "piano", "rate": "low"}), "rate"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(change: Any, message: str, tmp_path: Path) -> None:
    make("lstm").save(tmp_path)
    change(tmp_path)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


LEARNED = sorted(name for name, kind in MODELS.items() if kind.learned)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def flip(path: Path, count: int) -> None:
    """Flip a bit in each of some bytes of a file's second half, where the numbers are."""
    content = bytearray(path.read_bytes())
    for position in np.random.default_rng(0).choice(len(content) // 2, count, replace=False):
        content[len(content) - 1 - position] ^= 1
    path.write_bytes(content)


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("count", [1, 20])
def test_bits_that_have_flipped_in_the_weights_are_noticed(
    name: str, count: int, tmp_path: Path
) -> None:
    make(name).save(tmp_path)
    flip(tmp_path / "weights.safetensors", count)
    assert "weights.safetensors is not as it was saved" in refused(tmp_path)


@pytest.mark.parametrize("name", KINDS)
def test_a_description_that_was_changed_is_noticed(name: str, tmp_path: Path) -> None:
    make(name).save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(path.read_text().replace("4000", "4001"))
    assert "model.json is not as it was saved" in refused(tmp_path)


def test_the_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    make("gru").save(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    for line, name in zip(lines, ("model.json", "weights.safetensors"), strict=True):
        content = (tmp_path / name).read_bytes()
        assert line == f"{hashlib.sha256(content).hexdigest()}  {name}"


@pytest.mark.parametrize("text", ["", "none", "0" * 64 + "  ../weights.safetensors\n"])
def test_damaged_checksums_are_one_clear_line(text: str, tmp_path: Path) -> None:
    make("gru").save(tmp_path)
    (tmp_path / "SHA256SUMS").write_text(text)
    assert "SHA256SUMS holds no checksums" in refused(tmp_path)


def test_a_folder_from_before_checksums_is_loaded(tmp_path: Path) -> None:
    make("gru").save(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    assert load(tmp_path).name == "gru"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", LEARNED)
def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(
    name: str, value: float, tmp_path: Path
) -> None:
    model = make(name)
    model.save(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()  # as a net that diverged was saved before
    first, *_ = (key for key, tensor in tensors(tmp_path).items() if tensor.numel())
    state = tensors(tmp_path)
    state[first].view(-1)[-1] = value
    save_file(state, tmp_path / "weights.safetensors")
    assert f"{first} is not finite" in refused(tmp_path)
    (tmp_path / "again").mkdir()
    model.net.load_state_dict(state)
    with pytest.raises(UserError, match="is not finite, so it cannot be saved") as caught:
        model.save(tmp_path / "again")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "again").iterdir())


def reshaped(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = state[key].unsqueeze(0)


def retyped(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = state[key].to(torch.complex64)


def renamed(state: dict[str, torch.Tensor], key: str) -> None:
    state["other"] = state.pop(key)


def added(state: dict[str, torch.Tensor], key: str) -> None:
    state["other"] = state[key].clone()


def flattened(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = state[key].sum()


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("change", [reshaped, retyped, renamed, added, flattened, dict.pop])
def test_weights_of_another_net_are_one_clear_line(
    name: str, change: Callable[[dict[str, torch.Tensor], str], Any], tmp_path: Path
) -> None:
    make(name).save(tmp_path)
    for key in [key for key, tensor in tensors(tmp_path).items() if tensor.ndim]:
        state = tensors(tmp_path)
        change(state, key)
        save_file(state, tmp_path / "weights.safetensors")
        assert "cannot use the weights" in refused(tmp_path)
        make(name).save(tmp_path)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100, -1])
def test_weights_that_were_cut_off_are_one_clear_line(length: int, tmp_path: Path) -> None:
    make("gru").save(tmp_path)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    assert "cannot use the weights" in refused(tmp_path)
