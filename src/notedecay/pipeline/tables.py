"""The files that stages pass on: JSON and CSV, whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel

from notedecay.config import Section, parse
from notedecay.errors import UserError
from notedecay.files import replacing


class Best(Section):
    """``best.json``: what the search found."""

    continuator: str
    settings: dict[str, Any]


class Trained(Section):
    """``train.json``: the run of the training, and the epoch that was kept."""

    run_id: str
    epoch: int


class Runs(RootModel[dict[str, str]]):
    """``runs.json``: the run of each candidate."""


class Metrics(RootModel[dict[str, dict[str, dict[str, float | None]]]]):
    """``metrics.json``: figures by candidate, ``seen`` or ``unseen``, and measure."""


M = TypeVar("M", bound=BaseModel)


def read_json(path: Path) -> Any:
    """Read what an earlier stage wrote.

    Raises
    ------
    UserError
        For a file that is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: run 'dvc repro' ({error})") from error


def read_as(kind: type[M], path: Path) -> M:
    """Read what an earlier stage wrote, of a known shape.

    Raises
    ------
    UserError
        As :func:`read_json`, and for a file of another shape.
    """
    return parse(kind, read_json(path), f"{path} is not what its stage wrote, run 'dvc repro'")


def write_json(value: Any, path: Path) -> None:
    """Write JSON; a value that JSON has no word for (NaN) is an error."""
    with replacing(path) as sibling:
        sibling.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a table as CSV; a column that a row lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as sibling, sibling.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
