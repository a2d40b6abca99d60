"""Versions in the project's own registry, read without MLflow.

To import MLflow takes as long as to import PyTorch, load a model and continue a note. So a model
is looked up in the SQLite file of the registry itself, of which few columns are read and nothing is
written. Whatever is not as usual there, MLflow answers, which also knows the reasons: nothing here
raises an error of its own.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from notedecay.registry.names import parse_uri


@dataclass(frozen=True)
class LocalVersion:
    """A version of a registered model.

    Attributes
    ----------
    name : str
        Of the registered model.
    version : str
        Its number.
    folder : Path
        Its files.
    tags : dict of str to str
    """

    name: str
    version: str
    folder: Path
    tags: dict[str, str]

    @property
    def uri(self) -> str:
        """``models:/<name>/<version>``."""
        return f"models:/{self.name}/{self.version}"


def find(mlruns: Path, uri: str) -> LocalVersion | None:
    """The version that a URI names, if the local store holds it and its files.

    Parameters
    ----------
    mlruns : Path
        Folder of the local store.
    uri : str
        Of an alias or a version.

    Returns
    -------
    LocalVersion or None
        None: ask MLflow. ``MLFLOW_TRACKING_URI`` names another store, there is no such version, its
        files are not below this ``mlruns`` (the store was moved, or is a copy), or the database
        cannot be read.

    Raises
    ------
    UserError
        For what is no URI of a model.
    """
    name, alias, number = parse_uri(uri)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    address = f"{(mlruns / 'mlflow.db').resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as store:
            version = number or _holder(store, name, alias)
            folder = _folder(store, name, version)
            tags = store.execute(
                "select key, value from model_version_tags where name = ? and version = ?",
                (name, version),
            ).fetchall()
    except (sqlite3.Error, LookupError):
        return None
    if not folder.is_relative_to(mlruns.resolve()) or not folder.is_dir():
        return None
    return LocalVersion(name, version, folder, dict(tags))


def _holder(store: sqlite3.Connection, name: str, alias: str | None) -> str:
    query = "select version from registered_model_aliases where name = ? and alias = ?"
    return _only(store.execute(query, (name, alias)))


def _folder(store: sqlite3.Connection, name: str, version: str) -> Path:
    query = (
        "select storage_location from model_versions where name = ? and version = ? "
        "and status = 'READY' and current_stage <> 'Deleted_Internal'"
    )
    return Path(url2pathname(urlsplit(_only(store.execute(query, (name, version)))).path))


def _only(rows: sqlite3.Cursor) -> str:
    """The one value of the one row; LookupError where there are none or several."""
    found = rows.fetchall()
    if len(found) != 1:
        raise LookupError
    return str(found[0][0])
