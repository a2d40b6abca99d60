"""Source record ``source.json`` of a folder of recordings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from notedecay.core.errors import UserError

FILE = "source.json"


@dataclass(frozen=True)
class SourceRecord:
    """Origin, licence and credit of a folder of recordings.

    Attributes
    ----------
    source, version : str
        Name and version of what was fetched.
    licence, credit : str
        Terms of use, and who is to be credited.
    """

    source: str
    version: str
    licence: str
    credit: str


OWN = SourceRecord(source="your own", version="", licence="your own", credit="")
"""Record of a folder without ``source.json``: the user's own recordings."""


def write(record: SourceRecord, folder: Path) -> None:
    """Write ``source.json`` into an existing folder."""
    text = json.dumps(asdict(record), indent=2, sort_keys=True, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> SourceRecord:
    """Read a folder's ``source.json``; without it the recordings are the user's own.

    Raises
    ------
    UserError
        ``source.json`` is not what :func:`write` writes.
    """
    path = folder / FILE
    if not path.exists():
        return OWN
    try:
        return SourceRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path} does not hold source, version, licence and credit: fetch the folder again"
        ) from error
