"""Parameters: what is refused, and what the line says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from notedecay.core.config import Instrument, Params, Range, load_params
from notedecay.core.errors import UserError
from notedecay.core.validation import parse

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


def changed(path: str, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(yaml.safe_load(PARAMS.read_text()))
    *parents, last = path.split(".")
    place = values
    for part in parents:
        place = place.setdefault(part, {})
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
        ("defaults.search.spaces", {}, ["defaults.search.spaces", "at least 1"]),
        ("defaults.search.trails", 3, ["defaults.search.trails", "did you mean 'trials'"]),
        ("defaults.train.epochs", "150", ["defaults.train.epochs", "without quotes"]),
        ("defaults.prepare", None, ["defaults.prepare", "needs parameters of its own"]),
        ("default", {}, ["unknown parameter default", "did you mean 'defaults'"]),
        ("instruments.piano.prepare.seconds", "5", ["prepare.seconds", "'5'", "without quotes"]),
        ("instruments.piano.prepare.seconds", True, ["prepare.seconds", "number", "True"]),
        ("instruments.piano.prepare.rate", "8400", ["prepare.rate", "integer", "without quotes"]),
        ("instruments.piano.prepare.rate", True, ["prepare.rate", "integer", "True"]),
        ("instruments.piano.search.trials", "12", ["search.trials", "without quotes"]),
        ("instruments.piano.train.epochs", 100_000, ["train.epochs", "10000", "100000"]),
        ("instruments.piano.search.check_every", 10**9, ["search.check_every", "10000"]),
        ("instruments.piano.train.check_every", 10**9, ["train.check_every", "10000"]),
        ("instruments.piano.search.warmup_checks", 10**9, ["search.warmup_checks", "10000"]),
        ("instruments.piano.evaluate.seen_notes", 10**9, ["evaluate.seen_notes", "10000"]),
        ("instruments.piano.register.margin", 10**9, ["register.margin", "less than or equal"]),
        ("instruments.piano.register.margin", "0.1", ["register.margin", "without quotes"]),
        (
            "instruments.piano.search.spaces.lstm.units",
            {"low": "3", "high": 9},
            ["units", "low", "without quotes"],
        ),
        (
            "instruments.piano.search.spaces.lstm.units",
            {"low": 3, "high": 9, "log": "true"},
            ["units", "log", "boolean"],
        ),
        ("seed", "2016", ["seed", "integer", "without quotes"]),
        ("seed", 20.5, ["seed", "integer", "20.5"]),
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


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instruments.piano.prepare.seconds", 5),
        ("instruments.piano.prepare.highpass_hz", 0),
        ("instruments.piano.register.margin", 0),
        ("instruments.piano.search.spaces.lstm.units", {"low": 64, "high": 256}),
        ("instruments.piano.train.epochs", 10_000),
    ],
)
def test_a_whole_number_is_a_number(path, value):
    parse(Params, changed(path, value), "params.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("2E2", 200.0), ("-1e+1", -10.0), ("1.5e-3", 0.0015), ("12", 12)],
)
def test_a_number_is_read_as_dvc_reads_it(tmp_path, text, value):
    assert yaml.safe_load(text) in (text, value)
    content = changed("instruments.piano.search.spaces.lstm", {"input_noise": "HERE"})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content).replace("HERE", text))
    params = load_params(tmp_path / "params.yaml")
    assert params.instruments["piano"].search.spaces["lstm"] == {"input_noise": value}


def test_text_that_looks_like_a_power_stays_text(tmp_path):
    content = changed("instruments.piano.search.spaces.lstm", {"loss": "1e", "other": "e3"})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    found = load_params(tmp_path / "params.yaml").instruments["piano"].search.spaces["lstm"]
    assert found == {"loss": "1e", "other": "e3"}


def test_a_range_must_be_ordered():
    wrong = changed("instruments.piano.search.spaces.lstm.units", {"low": 3, "high": 2})
    with pytest.raises(UserError, match="low < high"):
        parse(Params, wrong, "params.yaml")


@pytest.mark.parametrize("line", ["seed: 7", "'seed': 7", "? seed\n: 7", "instruments: {}"])
def test_a_key_that_is_there_twice_is_refused_as_dvc_does(tmp_path, line):
    path = tmp_path / "params.yaml"
    path.write_text(f"{PARAMS.read_text()}\n{line}\n")
    with pytest.raises(UserError, match=r"the key '(seed|instruments)' is there twice"):
        load_params(path)


def test_a_merge_key_is_refused_with_its_line(tmp_path):
    path = tmp_path / "params.yaml"
    text = PARAMS.read_text().replace("  piano:", "  piano: &piano")
    path.write_text(f"{text}  banjo:\n    <<: *piano\n")
    line = len(text.splitlines()) + 2
    with pytest.raises(UserError, match=f"is not allowed: .*'defaults:'.* line {line},"):
        load_params(path)


def test_a_file_without_defaults_is_refused_with_the_mend(tmp_path):
    values = yaml.safe_load(PARAMS.read_text())
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"seed": 1, "instruments": {"piano": values["defaults"]}}))
    with pytest.raises(UserError) as caught:
        load_params(path)
    line = str(caught.value)
    assert line.startswith(f"{path} has no 'defaults'")
    assert "\n" not in line
    assert "keep under each instrument only what differs, such as 'piano: {}'" in line


def instrument(own: Any) -> Instrument:
    """An instrument with these values of its own, as the project's defaults complete it."""
    values = {**yaml.safe_load(PARAMS.read_text()), "instruments": {"banjo": own}}
    return parse(Params, values, "params.yaml").instruments["banjo"]


def test_an_empty_instrument_has_the_defaults():
    assert instrument({}) == load_params(PARAMS).defaults


def test_an_instrument_differs_in_what_it_says_alone():
    made = instrument({"prepare": {"rate": 9000}, "train": {"epochs": 7}}).model_dump()
    expected = instrument({}).model_dump()
    expected["prepare"]["rate"] = 9000
    expected["train"]["epochs"] = 7
    assert made == expected


def test_a_space_replaces_that_of_the_same_model_and_null_takes_one_out():
    spaces = {"lstm": {"units": [8]}, "gru": {"units": 4}, "lru": None}
    made = instrument({"search": {"spaces": spaces}}).search.spaces
    assert made["lstm"] == {"units": [8]}
    assert made["gru"] == {"units": 4}
    assert made["modal"] == instrument({}).search.spaces["modal"]
    assert made.keys() == instrument({}).search.spaces.keys() - {"lru"}


def test_a_baseline_replaces_that_of_the_same_name_and_null_takes_one_out():
    baselines = {"esprit": {"order": 8}, "burg": None}
    made = instrument({"evaluate": {"baselines": baselines}}).evaluate.baselines
    assert made == {"silence": {}, "repeat": {}, "esprit": {"order": 8}}


def test_a_list_replaces_a_list():
    own = {"search": {"spaces": {"modal": {"units": [16, 24, 32]}}}}
    assert instrument(own).search.spaces["modal"]["units"] == [16, 24, 32]


@pytest.mark.parametrize("name", ["1", "1e3", "true", "null", "2024-01-01"])
def test_an_instrument_s_name_that_yaml_takes_for_a_value_is_to_be_quoted(tmp_path, name):
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text().replace("  piano:", f"  {name}:"))
    with pytest.raises(UserError, match="put it in quotes"):
        load_params(path)
    path.write_text(PARAMS.read_text().replace("  piano:", f"  '{name}':"))
    assert name in load_params(path).instruments


@pytest.mark.parametrize("value", [None, [], 3, "text"])
def test_a_group_without_parameters_is_named(value):
    for path in ("instruments", "defaults", "instruments.piano.search"):
        with pytest.raises(UserError, match=f"{path}: needs parameters of its own"):
            parse(Params, changed(path, value), "params.yaml")
    with pytest.raises(UserError, match=r"instruments.piano: needs values of its own, or \{\}"):
        parse(Params, changed("instruments.piano", value), "params.yaml")


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


def test_an_alias_is_refused_with_its_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 1\ninstruments:\n  piano: &a {}\n  guitar: *a\n")
    with pytest.raises(UserError, match=r"an alias \(\*\) is not allowed: .*'defaults:'.* line 4,"):
        load_params(path)
