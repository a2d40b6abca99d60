"""The tracking store: MLflow in ``mlruns/``, or the server that the user names."""

from __future__ import annotations

import logging
import os
import sqlite3
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

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from notedecay.errors import UserError
from notedecay.tracking.moved import follow

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Says that an experiment holds runs and metrics, not prompts and traces.

A fresh browser shows the latter all the same, until told otherwise: see :func:`pages`.
"""

for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def tracking_uri(mlruns: Path) -> str:
    """``MLFLOW_TRACKING_URI`` where set, else a SQLite file inside ``mlruns`` (absolute)."""
    named = os.environ.get("MLFLOW_TRACKING_URI")
    return named or f"sqlite:///{mlruns.resolve()}/mlflow.db"


def artifacts(mlruns: Path) -> Path:
    """Where the local store keeps audio, pictures and models (absolute)."""
    return mlruns.resolve() / "artifacts"


def connect(mlruns: Path) -> MlflowClient:
    """A client of the tracking store, which is made on first use and found again when moved.

    Parameters
    ----------
    mlruns : Path
        Folder of the local store.

    Raises
    ------
    UserError
        When the server or the database does not answer.
    """
    uri = tracking_uri(mlruns)
    named = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    if named is None:  # mlflow has set it, and would make this store everyone's
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    try:
        with _alone(mlruns):
            client = MlflowClient()
            client.search_experiments(max_results=1)
            if is_local():
                follow(mlruns.resolve() / "mlflow.db", artifacts(mlruns))
    except (MlflowException, OSError, ImportError, sqlite3.Error) as error:
        raise UserError(
            f"the tracking store {uri} does not answer; start it, or unset MLFLOW_TRACKING_URI "
            f"to use {mlruns} ({' '.join(str(error).split())[:160]})"
        ) from error
    return client


def experiment(client: MlflowClient, mlruns: Path, instrument: str, about: str) -> str:
    """Id of the instrument's experiment ``notedecay-<instrument>``, made on first use.

    It is described as ``about`` says, unless somebody has described it already.
    """
    name = f"notedecay-{instrument}"
    with _alone(mlruns):
        known = client.get_experiment_by_name(name)
        if known is not None:
            if MLFLOW_RUN_NOTE not in known.tags:
                client.set_experiment_tag(known.experiment_id, MLFLOW_RUN_NOTE, about)
            return known.experiment_id
        location = artifacts(mlruns).as_uri() if is_local() else None
        tags = {**KIND, MLFLOW_RUN_NOTE: about}
        return client.create_experiment(name, artifact_location=location, tags=tags)


def pages(client: MlflowClient, top: str) -> list[str]:
    """Where the UI shows runs and models, in lines: its own front page hides both.

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
    """Whether a store says that a thing is not there, and not that it failed to look."""
    if error.error_code == "RESOURCE_DOES_NOT_EXIST":
        return True
    return error.error_code == "INVALID_PARAMETER_VALUE" and "not found" in str(error)


@contextmanager
def _alone(mlruns: Path) -> Iterator[None]:
    """One process at a time: several on a fresh SQLite store race in its migrations."""
    if not is_local():
        yield
        return
    mlruns.mkdir(parents=True, exist_ok=True)
    with FileLock(mlruns / ".store.lock"):
        yield
