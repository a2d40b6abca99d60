"""The files that stages pass on: JSON and CSV, whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from notedecay.errors import UserError
from notedecay.files import replacing


def read_json(path: Path) -> Any:
    """Read what an earlier stage wrote.

    Raises
    ------
    UserError
        For a file that is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: run 'dvc repro' ({error})") from error


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
