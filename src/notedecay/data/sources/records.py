"""Where recordings come from, as ``source.json`` beside them says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from notedecay.core.errors import UserError

FILE = "source.json"


@dataclass(frozen=True)
class Origin:
    """What is known of a folder of recordings.

    Attributes
    ----------
    source, version : str
        Name and version of what was fetched.
    licence, credit : str
        Terms, and whom to name.
    """

    source: str
    version: str
    licence: str
    credit: str


OWN = Origin(source="your own", version="", licence="your own", credit="")
"""A folder without ``source.json`` was put there by the user."""


def write(origin: Origin, folder: Path) -> None:
    """Write ``source.json`` into an existing folder."""
    text = json.dumps(asdict(origin), indent=2, sort_keys=True, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Origin:
    """Read a folder's ``source.json``, or say that the recordings are the user's own.

    Raises
    ------
    UserError
        ``source.json`` is not what :func:`write` writes.
    """
    path = folder / FILE
    if not path.exists():
        return OWN
    try:
        return Origin(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path} does not hold source, version, licence and credit: fetch the folder again"
        ) from error
