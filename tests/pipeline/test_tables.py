"""Files between stages that somebody edited, or that were cut off: one line, no traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notedecay.errors import UserError
from notedecay.pipeline.tables import Best, Metrics, Runs, Trained, read_as

GOOD: dict[type, Any] = {
    Best: {"continuator": "lstm", "settings": {"units": 16, "loss": "relative"}},
    Trained: {"run_id": "0" * 32, "epoch": 3},
    Runs: {"lstm": "0" * 32},
    Metrics: {"lstm": {"unseen": {"score": None, "notes": 13}}},
}
SHAPES = [None, 3, "text", [], [1], {"lstm": 3}, {"lstm": []}, {"lstm": {"unseen": 3}}]


@pytest.mark.parametrize("kind", GOOD)
def test_what_a_stage_wrote_is_read_as_it_is(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(GOOD[kind]))
    assert read_as(kind, path).model_dump() == GOOD[kind]


@pytest.mark.parametrize("shape", SHAPES, ids=json.dumps)
@pytest.mark.parametrize("kind", GOOD)
def test_another_shape_is_one_line(kind: Any, shape: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(shape))
    refused(kind, path, "is not what its stage wrote, run 'dvc repro'")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, None])
@pytest.mark.parametrize("kind", GOOD)
def test_what_is_no_json_is_one_line(kind: Any, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    if content is not None:
        path.write_bytes(content)
    refused(kind, path, "cannot be read: run 'dvc repro'")


def refused(kind: Any, path: Path, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        read_as(kind, path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
