"""Check without MLflow whether the registry is as the stage ``register`` left it.

The stage always runs, since DVC cannot see the registry. Importing MLflow and torch and comparing
again takes some ten seconds. So the stage leaves a hash of all that it depends on: results, code of
the registry, versions with their tags, aliases and files, and runs. It ends at once if the hash is
the same. If anything differs or cannot be read, the stage does its work.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlparse

from notedecay.core.digests import sha256
from notedecay.core.files import replacing
from notedecay.core.project import MERGED_PARAMS, Project
from notedecay.registry.names import registered_name

INPUTS = (
    "candidates", "catalogue.json", "clips.npz", MERGED_PARAMS, "registered.json", "runs.json",
    "scores.json", "split.json",
)  # fmt: skip
"""Files and folders of an instrument's results that the stage reads or writes."""

TABLES = ("registered_models", "model_versions", "model_version_tags", "registered_model_aliases")
"""Tables of MLflow that describe a registered model, each with a column ``name``."""


def is_up_to_date(project: Project, instrument: str) -> bool:
    """Whether the stage ``register`` has nothing to do.

    Parameters
    ----------
    project : Project
        Holds results and the local store.
    instrument : str
        Its name.

    Returns
    -------
    bool
        Always False if ``MLFLOW_TRACKING_URI`` names a store, which is not read.
    """
    path = _path(project, instrument)
    try:
        return path.read_text(encoding="utf-8") == _state(project, instrument)
    except (OSError, ValueError, sqlite3.Error):
        return False


def remember(project: Project, instrument: str) -> None:
    """Record that the registry is up to date with the results."""
    try:
        state = _state(project, instrument)
    except (OSError, ValueError, sqlite3.Error):  # then the next call does the work
        return
    with replacing(_path(project, instrument)) as partial:
        partial.write_text(state, encoding="utf-8")


def _path(project: Project, instrument: str) -> Path:
    return project.mlruns / ".registered" / instrument


def _state(project: Project, instrument: str) -> str:
    """Hash of results and registry; ValueError if the registry is not the local one."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        raise ValueError("the registry is not the local one")
    results = project.results(instrument)
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):  # a change of the gate's own rules
        state.update(f"{path.name} {sha256(path)}\n".encode())
    for name in INPUTS:
        for path in _files(results / name):
            state.update(f"{path.relative_to(results)} {sha256(path)}\n".encode())
    runs = json.loads((results / "runs.json").read_text(encoding="utf-8"))
    database = project.mlruns / "mlflow.db"
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as store:
        for row in _rows(store, registered_name(instrument), list(runs.values())):
            state.update(f"{row}\n".encode())
    return state.hexdigest()


def _rows(store: sqlite3.Connection, name: str, runs: list[str]) -> Iterator[object]:
    """Rows of a registered model and its runs, and size and time of its versions' files."""
    for table in TABLES:
        yield from sorted(map(str, store.execute(f"select * from {table} where name = ?", (name,))))
    for run in runs:
        yield store.execute(
            "select status, lifecycle_stage from runs where run_uuid = ?", (run,)
        ).fetchone()
    if store.execute("select 1 from runs where status = 'RUNNING'").fetchone():
        raise ValueError("a run may be an orphan that the stage ends")
    places = store.execute("select storage_location from model_versions where name = ?", (name,))
    for (place,) in places.fetchall():
        address = urlparse(place or "")
        for path in _files(Path(unquote(address.path))) if address.scheme == "file" else []:
            yield path, path.stat().st_size, path.stat().st_mtime_ns


def _files(path: Path) -> list[Path]:
    """A file, or all files of a folder; OSError if neither exists."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    path.stat()
    return [path]
