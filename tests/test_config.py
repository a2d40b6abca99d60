"""Parameters: what is refused, and what the line says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from notedecay.config import Params, Range, load_params, parse
from notedecay.errors import UserError

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"


def changed(path: str, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(yaml.safe_load(PARAMS.read_text()))
    *parents, last = path.split(".")
    place = values
    for part in parents:
        place = place[part]
    place[last] = value
    return values


def test_the_project_s_own_parameters_are_valid():
    params = load_params(PARAMS)
    assert {"piano", "guitar"} <= set(params.instruments)
    learning_rate = params.instruments["piano"].search.spaces["lstm"]["learning_rate"]
    assert isinstance(learning_rate, Range)
    assert learning_rate.low < learning_rate.high


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("instruments.piano.search.trails", 3, ["search.trails", "did you mean 'trials'"]),
        ("instruments.piano.prepare.Rate", 3, ["prepare.Rate", "did you mean 'rate'"]),
        ("instrument", {}, ["unknown parameter instrument", "did you mean 'instruments'"]),
        ("instruments.piano.search.trials", -1, ["search.trials", "greater than or equal", "-1"]),
        ("instruments.piano.prepare.rate", "fast", ["prepare.rate", "integer", "'fast'"]),
        ("instruments.piano.prepare.seconds", float("nan"), ["prepare.seconds", "nan"]),
        ("instruments.piano.prepare.prime_seconds", 4.9, ["prepare", "0.5 s after prime_seconds"]),
        ("instruments.piano.search.device", "tpu", ["search.device", "tpu"]),
        ("instruments.piano.search.spaces", {}, ["search.spaces", "at least 1"]),
        ("seed", -1, ["seed", "greater than or equal to 0"]),
        ("instruments", {}, ["instruments", "at least 1"]),
    ],
)
def test_a_wrong_value_gets_one_line_that_names_it(path, value, words):
    with pytest.raises(UserError) as caught:
        parse(Params, changed(path, value), "params.yaml")
    line = str(caught.value)
    assert "\n" not in line
    assert all(word in line for word in ["params.yaml", *words]), line


def test_a_range_must_be_ordered():
    wrong = changed("instruments.piano.search.spaces.lstm.units", {"low": 3, "high": 2})
    with pytest.raises(UserError, match="low < high"):
        parse(Params, wrong, "params.yaml")


@pytest.mark.parametrize("content", ["a: [1", "", "just text", "- 1"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=str(path)):
        load_params(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml: No such file"):
        load_params(tmp_path / "params.yaml")


def test_an_unknown_instrument_gets_the_nearest_name():
    with pytest.raises(UserError, match="no instrument 'paino'; did you mean 'piano'"):
        load_params(PARAMS).instrument("paino")
