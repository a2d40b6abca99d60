"""The storage of studies: a SQLite file in ``mlruns/``, or a PostgreSQL server for many machines.

A study holds finished trials only, one row for each slot; running trials are found by their claims
and their folders.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import optuna
import sqlalchemy as sa
from optuna.exceptions import OptunaError, StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from notedecay.core.commands import installed, pasteable
from notedecay.core.errors import UserError
from notedecay.experiments.search.claims import KEEPALIVE, Claims, claims_of
from notedecay.experiments.search.seeding import Earlier
from notedecay.tracking.database import (
    LOCK_SECONDS,
    STUDIES,
    check_database,
    failure,
    root_text,
    sqlite_url,
)

optuna.logging.set_verbosity(optuna.logging.WARNING)

STORAGE = "NOTEDECAY_STORAGE"
"""Environment variable: URL of a PostgreSQL database, which may hold a password; never printed."""

OVER = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
PATIENCE_SECONDS = 300.0
"""How long a database that was there is waited for: a restart, a failover."""

Result = TypeVar("Result")


class SharedStudy:
    """A study that many processes write to; used within ``with``, which ends its connections.

    Parameters
    ----------
    name : str
        Of the study.
    mlruns : Path
        Folder of the local store, which holds the SQLite file and the claims beside it.
    directions : sequence of str or StudyDirection
        ``maximize`` or ``minimize``, for each objective.
    notify : callable
        Called with a line when the database is away.

    Raises
    ------
    UserError
        For a database that cannot be used; the line holds no password.
    """

    def __init__(
        self,
        name: str,
        mlruns: Path,
        directions: Sequence[Any],
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name, self._mlruns, self._notify = name, mlruns, notify
        self._url = storage_url(mlruns)
        self._file = sqlite_path(self._url)
        if self._file is not None:
            check_database(self._file, STUDIES)
        try:
            self.claims: Claims = claims_of(self._url, mlruns / ".locks", name)
            with self.claims.alone():  # tables, and the study, are made once
                self._storage = _storage(self._url)
                self._study = optuna.create_study(
                    storage=self._storage, study_name=name, directions=directions,
                    load_if_exists=True,
                )  # fmt: skip
        except (OptunaError, sa.exc.SQLAlchemyError, OSError) as error:
            raise self.failure(error) from error

    def __enter__(self) -> SharedStudy:
        return self

    def __exit__(self, *_: object) -> None:
        self.claims.close()
        self._storage.remove_session()
        self._storage.engine.dispose()

    @contextmanager
    def claims_of(self, study: str) -> Iterator[Claims]:
        """Claims on another study of the same storage."""
        claims = claims_of(self._url, self._mlruns / ".locks", study)
        try:
            yield claims
        finally:
            claims.close()

    def claim(self, slot: int) -> bool:
        """Claim a slot unless another process holds it; return whether this one now does."""
        return self._patiently(lambda: self.claims.claim(slot))

    def release(self, slot: int) -> None:
        """Give a claim back."""
        self.claims.release(slot)

    def is_free(self, slot: int) -> bool:
        """Whether no process works on a slot."""
        return self._patiently(lambda: self.claims.is_free(slot))

    def over(self) -> dict[int, FrozenTrial]:
        """Finished trials by slot; should two processes have written one, the earlier counts."""
        found: dict[int, FrozenTrial] = {}
        trials = self._patiently(lambda: self._study.get_trials(deepcopy=False, states=OVER))
        for trial in trials:
            if "slot" in trial.user_attrs:
                found.setdefault(trial.user_attrs["slot"], trial)
        return found

    def add(self, slot: int, trial: FrozenTrial) -> None:
        """Write the trial of a slot, once."""
        self._patiently(lambda: self.claims.is_mine(slot))

        def write() -> None:
            if slot not in self.over():
                self._study.add_trial(trial)

        self._patiently(write)

    def earlier(self, instrument: str) -> list[Earlier]:
        """All studies of an instrument that have finished trials, this one included."""
        summaries = self._patiently(lambda: optuna.get_all_study_summaries(self._storage))
        return [
            Earlier(one.study_name, one.datetime_start, self._trials_of(one.study_name))
            for one in summaries
            if one.study_name.rpartition("-")[0] == instrument and one.datetime_start is not None
        ]

    def _trials_of(self, name: str) -> list[FrozenTrial]:
        study = self._patiently(lambda: optuna.load_study(study_name=name, storage=self._storage))
        trials = self._patiently(lambda: study.get_trials(deepcopy=False, states=OVER))
        return [trial for trial in trials if "slot" in trial.user_attrs]

    def attribute(self, name: str) -> Any:
        """A value that was kept with the study; None if there is none."""
        return self._patiently(lambda: self._study.user_attrs.get(name))

    def keep(self, name: str, value: Any) -> None:
        """Keep a plain value with the study."""
        self._patiently(lambda: self._study.set_user_attr(name, value))

    def failure(self, error: BaseException) -> UserError:
        """Error in one line for what the database has raised."""
        return storage_failure(self._url, error)

    def _patiently(self, what: Callable[[], Result]) -> Result:
        """Call again while a database server is away."""
        wait, end = 0.5, time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return what()
            except (StorageInternalError, OperationalError, InterfaceError) as error:
                if self._file is not None or time.monotonic() > end:
                    raise self.failure(error) from error
            except (OptunaError, DBAPIError) as error:
                raise self.failure(error) from error
            if wait == 1.0:
                self._notify("the database of studies is away: waiting for it")
            time.sleep(wait)
            wait = min(2 * wait, 10.0)


def storage_url(mlruns: Path) -> sa.URL:
    """Address of the storage: ``NOTEDECAY_STORAGE``, else a SQLite file.

    Raises
    ------
    UserError
        For an address that is none.
    """
    given = os.environ.get(STORAGE)
    if not given:
        return sa.make_url(sqlite_url(mlruns / "optuna.db"))
    try:
        url = sa.make_url(given)
    except ArgumentError:
        raise UserError(
            f"{STORAGE} is no address of a database: write it as "
            "postgresql://user:password@host/database"
        ) from None
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def sqlite_path(url: sa.URL) -> Path | None:
    """The file of a SQLite address; None for a server."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def study_summaries(mlruns: Path) -> dict[str, optuna.study.StudySummary]:
    """Summaries of all studies in the storage, by name.

    Raises
    ------
    UserError
        For a database that cannot be used.
    """
    url = storage_url(mlruns)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return {}
    try:
        storage = _storage(url)
        try:
            return {one.study_name: one for one in optuna.get_all_study_summaries(storage)}
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (OptunaError, sa.exc.SQLAlchemyError) as error:
        raise storage_failure(url, error) from error


def storage_failure(url: sa.URL, error: BaseException) -> UserError:
    """Error in one line for a storage that cannot be used, without its password."""
    path = sqlite_path(url)
    if isinstance(error, UserError):
        return error
    if path is not None:
        return failure(path, STUDIES, error)
    where = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"
    text = root_text(error)[:160]
    if url.password:
        text = text.replace(str(url.password), "***")
    return UserError(
        f"the database of studies at {where} cannot be used: start it, or mend {STORAGE} ({text})"
    )


def _storage(url: sa.URL) -> RDBStorage:
    sqlite = sqlite_path(url)
    options: dict[str, Any] = {"connect_args": {"timeout": LOCK_SECONDS}}
    if sqlite is None:
        options = {"pool_pre_ping": True, "pool_size": 1, "max_overflow": 1,
                   "connect_args": KEEPALIVE}  # fmt: skip
    address = url.render_as_string(hide_password=False)
    try:
        return RDBStorage(address, engine_kwargs=options)
    except ImportError as error:
        raise UserError(
            f"{STORAGE} needs a driver of PostgreSQL: pip install 'notedecay[cluster]'"
        ) from error
    except RuntimeError as error:  # the tables are those of another Optuna
        where = sqlite or f"the database that {STORAGE} names"
        shown = address if sqlite else f"${STORAGE}"
        who, remedy = "a newer", "install that one, such as with"
        command = pasteable(sys.executable, "-m", "pip", "install", "--upgrade", "optuna")
        if "storage upgrade" in str(error):
            who, remedy = "an older", "keep a copy of it, then run"
            command = pasteable(installed("optuna"), "storage", "upgrade", "--storage", shown)
        raise UserError(
            f"{where}: {who} Optuna than {optuna.__version__} has made it: {remedy} {command}"
        ) from error
