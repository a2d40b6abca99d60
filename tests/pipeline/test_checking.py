"""Parameters against the models that they name: refused before any work is done."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from notedecay.core.errors import UserError
from notedecay.pipeline.checking import check_devices, load_checked

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
SEARCH, EVALUATE = "instruments.guitar.search.spaces", "instruments.guitar.evaluate.baselines"


def refused(tmp_path: Path, section: str, key: str, values: dict[str, Any]) -> str:
    """The line for a guitar whose section has this instead."""
    params = copy.deepcopy(yaml.safe_load(PARAMS.read_text()))
    params["instruments"]["guitar"].setdefault(section, {})[key] = values
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    with pytest.raises(UserError) as caught:
        load_checked(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line


def test_a_mistake_in_the_defaults_is_named_there(tmp_path):
    params = yaml.safe_load(PARAMS.read_text())
    params["defaults"]["search"]["spaces"]["lstm"]["unit"] = 64
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    with pytest.raises(UserError, match=r"defaults\.search\.spaces\.lstm: unknown parameter unit"):
        load_checked(path)
    params["defaults"]["search"]["device"] = "cuda:99"
    del params["defaults"]["search"]["spaces"]["lstm"]["unit"]
    path.write_text(yaml.safe_dump(params))
    with pytest.raises(UserError, match=r": defaults\.search\.device: device 'cuda:99' is not"):
        check_devices(path, load_checked(path), "piano", "search")


def test_the_project_s_own_parameters_pass():
    assert {"piano", "guitar"} <= set(load_checked(PARAMS).instruments)


@pytest.mark.parametrize(
    ("baselines", "words"),
    [
        ({"esprt": {}}, [EVALUATE, "unknown model 'esprt'", "did you mean 'esprit'?"]),
        ({"lstm": {}}, [EVALUATE, "'lstm' belongs under search.spaces"]),
        ({"esprit": {"order": -3}}, [f"{EVALUATE}.esprit", "order", "-3"]),
        ({"burg": {"ordr": 3}}, [f"{EVALUATE}.burg", "unknown parameter ordr", "'order'"]),
        ({"repeat": {"seconds": "long"}}, [f"{EVALUATE}.repeat", "seconds", "'long'"]),
        ({"repeat": {"seconds": "0.1"}}, [f"{EVALUATE}.repeat", "seconds", "without quotes"]),
        ({"esprit": {"order": True}}, [f"{EVALUATE}.esprit", "order", "True"]),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(tmp_path, baselines, words):
    line = refused(tmp_path, "evaluate", "baselines", baselines)
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("spaces", "words"),
    [
        ({"esprit": {"order": [8]}}, [SEARCH, "'esprit' belongs under evaluate.baselines"]),
        ({"lsmt": {}}, [SEARCH, "unknown model 'lsmt'", "did you mean 'lstm'?"]),
        ({"lstm": {"unit": 64}}, [f"{SEARCH}.lstm", "unknown parameter unit", "'units'"]),
        ({"lstm": {"units": [64, 99999]}}, [f"{SEARCH}.lstm", "units", "99999"]),
        ({"lstm": {"activation": ["tanh", "tanhh"]}}, [f"{SEARCH}.lstm", "'tanhh'"]),
        (
            {"lstm": {"learning_rate": {"low": 0.001, "high": 5.0, "log": True}}},
            [f"{SEARCH}.lstm", "learning_rate", "5.0"],
        ),
        ({"lstm": {"units": {"low": 4, "high": 64}}}, [f"{SEARCH}.lstm", "units", "4"]),
        ({"lstm": {"units": "64"}}, [f"{SEARCH}.lstm", "units", "without quotes"]),
        ({"lstm": {"units": [64, "128"]}}, [f"{SEARCH}.lstm", "units", "'128'"]),
        ({"lstm": {"layers": True}}, [f"{SEARCH}.lstm", "layers", "True"]),
        ({"lstm": {"epochs": [4, 8]}}, [f"{SEARCH}.lstm", "search.epochs"]),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(tmp_path, spaces, words):
    line = refused(tmp_path, "search", "spaces", spaces)
    assert all(word in line for word in words), line


@pytest.mark.parametrize("section", ["search", "train"])
@pytest.mark.parametrize("device", ["cuda:99", "cuda"])
def test_a_device_that_is_not_there_is_refused_before_any_work(
    tmp_path, monkeypatch, section, device
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda:99")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    content = copy.deepcopy(yaml.safe_load(PARAMS.read_text()))
    content["instruments"]["guitar"][section] = {"device": device}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    params = load_checked(path)
    stages = {
        "search": ("configure", "prepare", "search"),
        "train": ("configure", "prepare", "search", "train"),
    }[section]
    here = "2 GPUs found); use auto or cpu or cuda:0 or cuda:1"
    for stage in stages:
        with pytest.raises(UserError) as caught:
            check_devices(path, params, "guitar", stage)
        line = f"{path}: instruments.guitar.{section}.device: device '{device}' is not here ("
        assert str(caught.value).startswith(line)
        assert (here if device == "cuda:99" else "0 GPUs found); use auto or cpu") in str(
            caught.value
        )
    for stage in {"prepare", "search", "train", "compare", "register"}.difference(stages):
        check_devices(path, params, "guitar", stage)
    check_devices(path, params, "piano", "prepare")
