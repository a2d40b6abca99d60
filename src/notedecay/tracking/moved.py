"""A local store that was moved: MLflow writes absolute addresses of artifacts into it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Where MLflow 3.17 keeps them, by table."""


def follow(database: Path, artifacts: Path) -> None:
    """Let a store that came with its folder from elsewhere find its artifacts again.

    Parameters
    ----------
    database : Path
        SQLite file of the store, its tables made.
    artifacts : Path
        Absolute folder where the store's artifacts lie now. What points to a folder that is
        gone is made to point here; a folder that can still be read is left in use, since the
        store may be a copy without its artifacts.
    """
    with closing(sqlite3.connect(database)) as store:
        for old in _roots(store) - {artifacts.as_uri()}:
            if not os.access(_folder(old), os.R_OK):
                with store:  # all tables or none
                    _point(store, old, artifacts.as_uri())


def _roots(store: sqlite3.Connection) -> set[str]:
    """Addresses under which the experiments of notedecay keep their artifacts."""
    rows = store.execute(
        "select artifact_location from experiments "
        "where name like 'notedecay-%' and artifact_location like 'file:///%/artifacts'"
    )
    return {address for (address,) in rows}


def _folder(address: str) -> Path:
    return Path(url2pathname(urlsplit(address).path))


def _point(store: sqlite3.Connection, old: str, new: str) -> None:
    """Replace the beginning of every address that lies in the old folder, or is it."""
    for table, column in ADDRESSES.items():
        store.execute(
            f"update {table} set {column} = :new || substr({column}, length(:old) + 1) "
            f"where {column} = :old or substr({column}, 1, length(:old) + 1) = :old || '/'",
            {"old": old, "new": new},
        )
