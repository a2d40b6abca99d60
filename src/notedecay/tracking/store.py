"""The tracking store: MLflow in ``mlruns/``, or the server that the user names."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mlflow 3.17 uses a loader that SQLAlchemy 2.1 deprecates
    import mlflow
    from mlflow.store.tracking import sqlalchemy_store  # noqa: F401
    from sqlalchemy.orm import configure_mappers

    configure_mappers()

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from sqlalchemy.exc import SQLAlchemyError

from notedecay.core.commands import installed, pasteable
from notedecay.core.errors import UserError
from notedecay.core.project import find_project
from notedecay.tracking import database
from notedecay.tracking.relocate import relocate

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tag of an experiment that holds runs and metrics, not prompts and traces.

A fresh browser shows the latter all the same, unless the address asks for runs: see :func:`pages`.
"""

STORE_ERRORS = (
    MlflowException, OSError, ImportError, sqlite3.Error, SQLAlchemyError, CommandError,
)  # fmt: skip
"""Errors of a store that cannot be opened."""

LOCK_SECONDS = 120.0
"""How long a command waits for another one that opens the same store."""

for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it is raised as well


def tracking_uri(mlruns: Path) -> str:
    """``MLFLOW_TRACKING_URI`` where set, else a SQLite file inside ``mlruns`` (absolute)."""
    return os.environ.get("MLFLOW_TRACKING_URI") or database.sqlite_url(mlruns / "mlflow.db")


def artifacts(mlruns: Path) -> Path:
    """Where the local store keeps audio, pictures and models (absolute)."""
    return mlruns.resolve() / "artifacts"


def connect(mlruns: Path) -> MlflowClient:
    """Client of the tracking store, which is made on first use and relocated if it was moved.

    Parameters
    ----------
    mlruns : Path
        Folder of the local store.

    Raises
    ------
    UserError
        When the server does not answer, or the database cannot be used.
    """
    uri = tracking_uri(mlruns)
    named = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    if named is None:  # mlflow has set it, and would make this store everyone's
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    try:
        with _alone(mlruns):
            _check(uri, mlruns)
            client = MlflowClient()
            client.search_experiments(max_results=1)
            if is_local():
                relocate(mlruns.resolve() / "mlflow.db", artifacts(mlruns))
    except STORE_ERRORS as error:
        raise explained(uri, mlruns, error) from error
    return client


def _check(uri: str, mlruns: Path) -> None:
    """Check the database of a store first: MLflow tries for minutes to open a broken one."""
    path = database.sqlite_file(uri)
    if path is None:
        return
    database.check_database(path, database.RUNS)
    kept = artifacts(mlruns)
    if is_local() and path.exists() and not path.stat().st_size and any(kept.glob("*")):
        raise UserError(
            f"{path}: it is empty, but {kept} holds files of runs: bring back a copy of the "
            f"database, or start with an empty one after '{pasteable('rm', path)}'"
        )


def explained(uri: str, mlruns: Path, error: BaseException) -> UserError:
    """One line for a store that cannot be used: what, where, and how to mend it.

    Parameters
    ----------
    uri : str
        Of the store.
    mlruns : Path
        Folder of the local store.
    error : exception
        One of :data:`STORE_ERRORS`.
    """
    path = database.sqlite_file(uri)
    text = database.root_text(error)
    found = re.search(r"found version (\w+)|revision identified by '(\w+)'", str(error))
    if found:
        return _other_version(path, found[1] or found[2])
    if path is not None:
        return database.failure(path, database.RUNS, error)
    if is_local():
        return UserError(f"{mlruns} cannot be used: {text}")
    return UserError(
        f"the tracking store {uri} does not answer; start it, or 'unset MLFLOW_TRACKING_URI' "
        f"to use {mlruns} ({text[:160]})"
    )


def failed(error: Exception) -> str | None:
    """One line for a store that failed while it was used; None for an error of another kind.

    Parameters
    ----------
    error : exception
        Of MLflow, Optuna, SQLAlchemy or SQLite.
    """
    mlruns = find_project().mlruns if is_local() else Path("mlruns")
    if isinstance(error, MlflowException):
        uri = tracking_uri(mlruns)
        path = database.sqlite_file(uri)
        if path is not None and isinstance(database.root(error), sqlite3.Error):
            return str(database.failure(path, database.RUNS, error))
        return f"the tracking store {uri} failed: {database.root_text(error)}"
    if isinstance(database.root(error), sqlite3.Error):  # MLflow lets none through
        return str(database.failure(mlruns / "optuna.db", database.STUDIES, error))
    return None


def _other_version(path: Path | None, found: str) -> UserError:
    """Error for a database that another version of MLflow has made.

    Parameters
    ----------
    path : Path or None
        The database; None where ``MLFLOW_TRACKING_URI`` names a server of databases, whose
        address may hold a password.
    found : str
        Version of its tables.
    """
    tables = ScriptDirectory(str(Path(mlflow.__file__).parent / "store/db_migrations"))
    known = found in {script.revision for script in tables.walk_revisions()}
    where = path or "the database that MLFLOW_TRACKING_URI names"
    if not known:
        command = pasteable(sys.executable, "-m", "pip", "install", "--upgrade", "mlflow")
        return UserError(
            f"{where}: a newer MLflow than {mlflow.__version__} has made it: install that one, "
            f"such as with {command}"
        )
    address = pasteable(database.sqlite_url(path)) if path else '"$MLFLOW_TRACKING_URI"'
    command = f"{pasteable(installed('mlflow'), 'db', 'upgrade')} {address}"
    return UserError(
        f"{where}: an older MLflow than {mlflow.__version__} has made it: keep a copy of it, "
        f"then run {command}"
    )


def experiment(client: MlflowClient, mlruns: Path, instrument: str, about: str) -> str:
    """Id of the instrument's experiment ``notedecay-<instrument>``, made on first use.

    ``about`` becomes its description, unless it has one already.
    """
    name = f"notedecay-{instrument}"
    with _alone(mlruns):
        known = client.get_experiment_by_name(name)
        if known is not None:
            _restore(client, known)
            if MLFLOW_RUN_NOTE not in known.tags:
                client.set_experiment_tag(known.experiment_id, MLFLOW_RUN_NOTE, about)
            return known.experiment_id
        location = artifacts(mlruns).as_uri() if is_local() else None
        tags = {**KIND, MLFLOW_RUN_NOTE: about}
        return client.create_experiment(name, artifact_location=location, tags=tags)


def _restore(client: MlflowClient, known: Experiment) -> None:
    """Take an experiment out of the bin, and with it its runs: no run can be made in it there."""
    if known.lifecycle_stage == "deleted":
        client.restore_experiment(known.experiment_id)
        print(f"the experiment {known.name} was deleted: it is restored", file=sys.stderr)


def pages(client: MlflowClient, top: str) -> list[str]:
    """Addresses of runs and models in the UI, whose own front page hides both, in lines.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    top : str
        Address of the UI.
    """
    ours = client.search_experiments(filter_string="name LIKE 'notedecay-%'")
    training = "workflowType=machine_learning"
    runs = {e.name: f"{top}/#/experiments/{e.experiment_id}/runs?{training}" for e in ours}
    shown = {**dict(sorted(runs.items())), "models": f"{top}/#/models?{training}"}
    return [f"{name}: {address}" for name, address in shown.items()]


def is_local() -> bool:
    """Whether the store is the project's own, and no server is named."""
    return not os.environ.get("MLFLOW_TRACKING_URI")


def is_absent(error: MlflowException) -> bool:
    """Whether an error means that something does not exist, and not that the store failed."""
    if error.error_code == "RESOURCE_DOES_NOT_EXIST":
        return True
    return error.error_code == "INVALID_PARAMETER_VALUE" and "not found" in str(error)


@contextmanager
def _alone(mlruns: Path) -> Iterator[None]:
    """Lock the store: several processes on a fresh SQLite store would race in its migrations."""
    if not is_local():
        yield
        return
    lock = FileLock(mlruns / ".store.lock", timeout=LOCK_SECONDS)
    try:
        mlruns.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(
            f"{lock.lock_file} has been held for {LOCK_SECONDS:.0f} s by another notedecay: wait "
            "for it or end it, then run the command again"
        ) from error
    except OSError as error:
        raise UserError(
            f"{mlruns} cannot be written to ({error.strerror}): let it be a folder that can, with "
            "free space, then run the command again"
        ) from error
    try:
        yield
    finally:
        lock.release()
