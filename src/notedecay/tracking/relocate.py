"""A local store that was moved: MLflow writes absolute addresses of artifacts into it."""

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
"""Where MLflow 3.17 keeps them, by table."""


def follow(database: Path, artifacts: Path) -> None:
    """Let a store that came with its folder from elsewhere find its artifacts again.

    Parameters
    ----------
    database : Path
        SQLite file of the store, its tables made.
    artifacts : Path
        Absolute folder beside the database. Where it holds files that the store knows under
        another folder, all that points there is made to point here, whether or not the other
        folder is there: it is the original's, or a later clone's. Where it holds none, the
        store is a copy without its artifacts: it goes on in the other folder as long as that
        can be read. Else new runs are kept here, and what is known of the old ones stays, since
        the folder may come back.
    """
    here = artifacts.as_uri()
    with closing(sqlite3.connect(database)) as store:
        for old in _roots(store) - {here}:
            if _came_along(store, old, here):
                _point(store, ADDRESSES, old, here)
            elif not os.access(_folder(old), os.R_OK):
                _point(store, ["experiments"], old, here)


def _roots(store: sqlite3.Connection) -> set[str]:
    """Addresses under which the experiments of notedecay keep their artifacts."""
    rows = store.execute(
        "select artifact_location from experiments "
        "where name like 'notedecay-%' and artifact_location like 'file:///%/artifacts'"
    )
    return {address for (address,) in rows}


def _folder(address: str) -> Path:
    return Path(url2pathname(urlsplit(address).path))


def _came_along(store: sqlite3.Connection, old: str, new: str) -> bool:
    """Whether the new folder holds anything that the store knows in the old one.

    That it is not empty would not do: a copy without artifacts may have begun an experiment
    of its own there.
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


def _point(store: sqlite3.Connection, tables: Iterable[str], old: str, new: str) -> None:
    """Replace the beginning of every address that lies in the old folder, or is it."""
    with store:  # all tables or none
        for table in tables:
            column = ADDRESSES[table]
            store.execute(
                f"update {table} set {column} = :new || substr({column}, length(:old) + 1) "
                f"where {column} = :old or substr({column}, 1, length(:old) + 1) = :old || '/'",
                {"old": old, "new": new},
            )
