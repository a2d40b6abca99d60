"""What stages pass on, when it is damaged: one line that says how to make it again."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.core.schemas import SHAPES
from notedecay.core.tables import read_json, write_json
from notedecay.data import split
from notedecay.data.clips import read_clips
from notedecay.reports import terminal
from notedecay.training.diagnostics import snapshots
from tests import toy

MEASURES = dict.fromkeys(
    ["score", "decay_ok", "missing", "pitch_cents", "envelope_db", "excess_noise_db",
     "join_snr_db"], 0.5
)  # fmt: skip
FIGURES: dict[str, Any] = {**MEASURES, "notes": 3, "attractor": None}
NAME = "C4 [old] it's"
WHOLE: dict[str, Any] = {
    "best.json": {"model": "lstm", "settings": {"units": 16}},
    "train.json": {"run_id": "ab", "epoch": 3},
    "runs.json": {"lstm": "ab"},
    "scores.json": {"lstm[a]": {"seen": FIGURES, "unseen": {**FIGURES, "join_snr_db": None}}},
    "registered.json": {
        "name": "notedecay-bells",
        "champion": {
            "version": "1", "model": "lstm[a]", "learned": True, "candidate": None,
            "run_id": "ab",
        },
        "decisions": ["lstm [a] is better"],
    },
    "split.json": {"train": ["a"], "validation": ["b"], "test": [NAME]},
    "catalogue.json": [{"id": NAME, "file": f"bells/own/{NAME}.wav", "pitch": 60}],
}  # fmt: skip


def line_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_json(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path} cannot be read: run 'dvc repro' (")
    return str(caught.value)


@pytest.mark.parametrize("name", WHOLE)
def test_what_the_stages_write_is_read(tmp_path, name):
    write_json(WHOLE[name], tmp_path / name)
    assert read_json(tmp_path / name) == WHOLE[name]
    assert SHAPES.keys() == WHOLE.keys()


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", "3", '"text"', "[1]", '{"a": 1}', "{", "[" * 99_999, "\x00"],
)
def test_any_other_content_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    line_of(tmp_path / name)


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_cut_short_missing_or_no_file_is_one_line(tmp_path, name):
    write_json(WHOLE[name], tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    line_of(tmp_path / name)
    (tmp_path / name).write_bytes(b"\xff\xfe" + whole)
    line_of(tmp_path / name)
    (tmp_path / name).unlink()
    assert "No such file" in line_of(tmp_path / name)
    (tmp_path / name).mkdir()
    assert "directory" in line_of(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("best.json", {"model": 3, "settings": {}}, "model"),
        ("best.json", {"model": "lstm", "settings": []}, "settings"),
        ("train.json", {"run_id": None}, "run_id"),
        ("runs.json", {"lstm": 3}, "lstm"),
        ("scores.json", {"lstm": {"unseen": {"score": "high", "notes": 1}}}, "lstm.unseen.score"),
        ("scores.json", {"lstm": {"unseen": {"score": 0.5}}}, "lstm.unseen.notes"),
        ("scores.json", {"lstm": []}, "lstm"),
        ("registered.json", {**WHOLE["registered.json"], "champion": None}, "champion"),
        ("split.json", {"train": [], "validation": [], "test": []}, "test"),
        ("catalogue.json", [{"id": "a"}], "0.file"),
    ],
)
def test_the_place_that_does_not_fit_is_named(tmp_path, name, value, where):
    (tmp_path / name).write_text(json.dumps(value))
    assert f"({where}: " in line_of(tmp_path / name)


PARAMS = Params.model_validate(
    {"seed": 1, "defaults": toy.INSTRUMENT, "instruments": {"bells": {}}}
)


@pytest.fixture
def project(tmp_path) -> Project:
    results = tmp_path / "results/bells"
    for name, value in WHOLE.items():
        write_json(value, results / name)
    (results / "trials.csv").write_text("trial,score\n0,0.25\n1,\n")
    return Project(tmp_path)


def shown(project: Project) -> str:
    console = Console(file=io.StringIO(), width=200)
    terminal.show(project, PARAMS, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_report_shows_names_with_brackets_and_commands_that_can_be_pasted(project):
    text = shown(project)
    assert "bells: champion is lstm[a] (notedecay-bells, version 1)" in text
    assert "lstm [a] is better" in text
    assert sum(line.lstrip().startswith("lstm[a]") for line in text.splitlines()) == 1
    command = next(line for line in text.splitlines() if line.startswith("generate:"))
    words = shlex.split(command.removeprefix("generate:"))
    assert words[words.index("--prime") + 1] == f"data/bells/own/{NAME}.wav"
    assert words[words.index("--model") + 1] == "models:/notedecay-bells@champion"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trials.csv", ""),
        ("trials.csv", "trial\n0\n"),
        ("trials.csv", "trial,score\n0,high\n"),
        ("trials.csv", "trial,score\n0\n"),
        ("scores.json", '{"lstm": {"unseen": {"score": 0.5, "notes": 3}}}'),
        ("catalogue.json", '[{"id": "other", "file": "a.wav"}]'),
        ("best.json", "[]"),
        ("registered.json", "[]"),
    ],
)
def test_a_report_of_damaged_results_is_one_line(project, name, content):
    (project.results("bells") / name).write_text(content)
    with pytest.raises(UserError, match="run 'dvc repro'") as caught:
        shown(project)
    assert "\n" not in str(caught.value)
    assert str(project.results("bells")) in str(caught.value)


@pytest.mark.parametrize("parts", [{"train": []}, [], None, {"train": 1}])
def test_a_split_without_its_parts_is_one_line(tmp_path, parts):
    (tmp_path / "split.json").write_text(json.dumps(parts))
    with pytest.raises(UserError, match=r"split\.json is not a split: run the prepare stage again"):
        split.read(tmp_path / "split.json")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"text"])
def test_clips_that_are_damaged_are_one_line(tmp_path, content):
    (tmp_path / "clips.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"clips\.npz does not hold clips: run the prepare stage"):
        read_clips(tmp_path / "clips.npz")


@given(st.binary(max_size=40).filter(lambda content: not content.strip().startswith(b"[")))
def test_looks_that_are_damaged_are_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("it's") / "diagnosis.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        snapshots.read_snapshots(path)
    line = str(caught.value)
    assert line.startswith(f"{path} is damaged")
    assert shlex.split(line[line.index("run ") + 4 :]) == ["rm", "-r", str(path.parent)]
