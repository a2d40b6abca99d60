"""Reading and atomic writing of the JSON and CSV files that stages pass on."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.core.schemas import SHAPES


def read_json(path: Path, shape: TypeAdapter[Any] | None = None) -> Any:
    """Read what an earlier stage wrote.

    Parameters
    ----------
    path : Path
        The file.
    shape : TypeAdapter, optional
        What it must hold; that of :data:`notedecay.core.schemas.SHAPES` by default.

    Raises
    ------
    UserError
        For a file that is missing, damaged or of another shape.
    """
    shape = shape or SHAPES.get(path.name)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if shape is not None:
            shape.validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{where}: {first['msg']}" if where else first["msg"]) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, getattr(error, "strerror", None) or str(error)) from error
    return value


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a table that an earlier stage wrote as CSV.

    Raises
    ------
    UserError
        For a file that is missing, damaged, empty or lacks one of the columns.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path, getattr(error, "strerror", None) or str(error)) from error
    lacking = [name for name in columns if not rows or any(row.get(name) is None for row in rows)]
    if lacking:
        raise _damaged(path, f"column {lacking[0]} is missing")
    return rows


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path} cannot be read: run 'dvc repro' ({' '.join(why.split())})")


def write_json(value: Any, path: Path) -> None:
    """Write JSON; NaN and infinity are errors, since JSON cannot hold them."""
    with replacing(path) as sibling:
        sibling.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a table as CSV; a column that a row lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as sibling, sibling.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
