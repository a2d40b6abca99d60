"""Parameters against the continuators that they name: refused before any work is done."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from notedecay.errors import UserError
from notedecay.pipeline.checking import load_checked

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
SEARCH, EVALUATE = "instruments.guitar.search.spaces", "instruments.guitar.evaluate.baselines"


def refused(tmp_path: Path, section: str, key: str, values: dict[str, Any]) -> str:
    """The line for a guitar whose section has this instead."""
    params = copy.deepcopy(yaml.safe_load(PARAMS.read_text()))
    params["instruments"]["guitar"][section][key] = values
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    with pytest.raises(UserError) as caught:
        load_checked(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line


def test_the_project_s_own_parameters_pass():
    assert {"piano", "guitar"} <= set(load_checked(PARAMS).instruments)


@pytest.mark.parametrize(
    ("baselines", "words"),
    [
        ({"esprt": {}}, [EVALUATE, "unknown continuator 'esprt'", "did you mean 'esprit'?"]),
        ({"lstm": {}}, [EVALUATE, "'lstm' belongs under search.spaces"]),
        ({"esprit": {"order": -3}}, [f"{EVALUATE}.esprit", "order", "-3"]),
        ({"burg": {"ordr": 3}}, [f"{EVALUATE}.burg", "unknown parameter ordr", "'order'"]),
        ({"repeat": {"seconds": "long"}}, [f"{EVALUATE}.repeat", "seconds", "'long'"]),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(tmp_path, baselines, words):
    line = refused(tmp_path, "evaluate", "baselines", baselines)
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("spaces", "words"),
    [
        ({"esprit": {"order": [8]}}, [SEARCH, "'esprit' belongs under evaluate.baselines"]),
        ({"lsmt": {}}, [SEARCH, "unknown continuator 'lsmt'", "did you mean 'lstm'?"]),
        ({"lstm": {"unit": 64}}, [f"{SEARCH}.lstm", "unknown parameter unit", "'units'"]),
        ({"lstm": {"units": [64, 99999]}}, [f"{SEARCH}.lstm", "units", "99999"]),
        ({"lstm": {"activation": ["tanh", "tanhh"]}}, [f"{SEARCH}.lstm", "'tanhh'"]),
        (
            {"lstm": {"learning_rate": {"low": 0.001, "high": 5.0, "log": True}}},
            [f"{SEARCH}.lstm", "learning_rate", "5.0"],
        ),
        ({"lstm": {"units": {"low": 4, "high": 64}}}, [f"{SEARCH}.lstm", "units", "4"]),
        ({"lstm": {"epochs": [4, 8]}}, [f"{SEARCH}.lstm", "search.epochs"]),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(tmp_path, spaces, words):
    line = refused(tmp_path, "search", "spaces", spaces)
    assert all(word in line for word in words), line
