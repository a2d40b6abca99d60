"""Relocation of a local store: MLflow keeps absolute addresses of artifacts in its database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
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
"""Columns in which MLflow 3.17 keeps addresses, by table."""


def relocate(database: Path, artifacts: Path) -> None:
    """Rewrite the addresses of artifacts in a store whose folder was moved or copied.

    Parameters
    ----------
    database : Path
        SQLite file of the store, its tables made.
    artifacts : Path
        Absolute folder beside the database. If it holds files that the store knows under another
        folder, all addresses below that folder are rewritten, whether or not it still exists: it
        may belong to the original of this copy. If it holds none, the store is a copy without its
        artifacts. It then uses the other folder as long as that can be read; otherwise new runs
        keep their artifacts here, and the addresses of old runs stay, since the folder may be
        mounted again.
    """
    here = artifacts.as_uri()
    with closing(sqlite3.connect(database)) as store:
        for old in _roots(store) - {here}:
            if _holds_files_of(store, old, here):
                _rewrite(store, ADDRESSES, old, here)
            elif not os.access(_folder(old), os.R_OK):
                _rewrite(store, ["experiments"], old, here)


def _roots(store: sqlite3.Connection) -> set[str]:
    """Addresses under which the experiments of notedecay keep their artifacts."""
    rows = store.execute(
        "select artifact_location from experiments "
        "where name like 'notedecay-%' and artifact_location like 'file:///%/artifacts'"
    )
    return {address for (address,) in rows}


def _folder(address: str) -> Path:
    return Path(url2pathname(urlsplit(address).path))


def _holds_files_of(store: sqlite3.Connection, old: str, new: str) -> bool:
    """Whether the new folder holds any file that the store knows in the old one.

    It is not enough that the new folder holds files: a copy without artifacts may have started an
    experiment there.
    """
    return any(
        _folder(new + address.removeprefix(old)).exists()
        for table, column in ADDRESSES.items()
        for (address,) in store.execute(
            f"select {column} from {table} "
            f"where substr({column}, 1, length(:old) + 1) = :old || '/'",
            {"old": old},
        )
    )


def _rewrite(store: sqlite3.Connection, tables: Iterable[str], old: str, new: str) -> None:
    """Replace the old folder by the new one in every address that begins with it."""
    with store:  # all tables or none
        for table in tables:
            column = ADDRESSES[table]
            store.execute(
                f"update {table} set {column} = :new || substr({column}, length(:old) + 1) "
                f"where {column} = :old or substr({column}, 1, length(:old) + 1) = :old || '/'",
                {"old": old, "new": new},
            )
