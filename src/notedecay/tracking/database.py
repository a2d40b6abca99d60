"""SQLite files of runs and of studies: addresses, checks and error messages."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from notedecay.core.commands import pasteable
from notedecay.core.errors import UserError

LOCK_SECONDS = 20.0
"""How long a command waits for a database that another process writes to."""


@dataclass(frozen=True)
class Kind:
    """A kind of database.

    Attributes
    ----------
    holds : str
        What it stores, for messages.
    tables : tuple of str
        One of them is there as soon as any table is.
    """

    holds: str
    tables: tuple[str, ...]


RUNS = Kind("runs and models", ("experiments", "alembic_version"))
STUDIES = Kind("the searches' trials", ("studies", "version_info"))

_AGAIN = "then run the command again; nothing that is stored is lost"
_RESTORE = "bring back a copy, or start with an empty one after {aside}"
_REASONS = {
    "disk is full": f"the disk is full: free some space, {_AGAIN}",
    "no space left": f"the disk is full: free some space, {_AGAIN}",
    "disk i/o error": f"the disk failed, or is full (disk I/O error): check it, {_AGAIN}",
    "database is locked": f"it is locked by {{holder}}: wait for that process or end it, {_AGAIN}",
    "readonly database": f"it is read-only: let it and its folder be written to, {_AGAIN}",
    "unable to open": f"it cannot be opened: let it and its folder be written to, {_AGAIN}",
    "not a database": f"it is not a SQLite database: {_RESTORE}",
    "malformed": f"it is damaged or cut short: {_RESTORE}",
    "no such table": f"tables are missing in it: {_RESTORE}",
    "no such column": f"columns are missing in it: {_RESTORE}",
}
"""Messages by what an error of SQLite contains, in lower case."""


def sqlite_url(path: Path) -> str:
    """Address of a SQLite file, whatever characters its path holds.

    The driver is named, since MLflow makes the folder of an address without one as it is spelled
    there: ``what%3F`` beside ``what?``.
    """
    url = URL.create("sqlite+pysqlite", database=str(path.resolve()))
    return url.render_as_string()


def sqlite_file(url: str) -> Path | None:
    """The file that an address names; None for that of a server or of another database."""
    try:
        parts = make_url(url)
    except ArgumentError:
        return None
    named = parts.get_backend_name() == "sqlite" and parts.database
    return Path(named) if named and named != ":memory:" else None


def check_database(path: Path, kind: Kind) -> None:
    """Try to open a database before anything is written to it.

    Parameters
    ----------
    path : Path
        Where it is, or will be made.
    kind : Kind
        What it must hold.

    Raises
    ------
    UserError
        For anything but a database of that kind, or the place for one, that can be written to.
    """
    try:
        if path.is_dir():
            raise UserError(f"{path}: it is a folder, not a database: move it with {_aside(path)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        for place in (path.parent, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise UserError(f"{path}: {_reason('readonly database', path)}")
        tables = _tables(path) if path.exists() else set()
    except (OSError, sqlite3.Error) as error:
        raise failure(path, kind, error) from error
    if tables and tables.isdisjoint(kind.tables):
        raise UserError(
            f"{path}: it is a database of something else than {kind.holds}, "
            f"and is left as it is: move it with {_aside(path)}"
        )


def _tables(path: Path) -> set[str]:
    address = f"{path.resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS)) as database:
        rows = database.execute("select name from sqlite_master where type = 'table'")
        return {name for (name,) in rows}


def failure(path: Path, kind: Kind, error: BaseException) -> UserError:
    """Error in one line for what a database, or a program that uses it, has raised.

    Parameters
    ----------
    path : Path
        The database.
    kind : Kind
        What it holds.
    error : exception
        Of SQLite, SQLAlchemy, MLflow, Optuna or the operating system.

    Returns
    -------
    UserError
        To be raised.
    """
    text = root_text(error)
    reason = next((_reason(key, path) for key in _REASONS if key in text.lower()), None)
    return UserError(f"{path}: {reason or f'the database of {kind.holds} fails: {text}'}")


def root(error: BaseException) -> BaseException:
    """The first error in a chain of causes."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def root_text(error: BaseException) -> str:
    """Message of the database itself, in one line, without SQL statements and links."""
    error = root(error)
    text = getattr(error, "strerror", None) or str(error)
    first = re.split(r"\n|\[SQL:|\(Background on", str(text).strip())[0]
    return " ".join(first.split()) or type(error).__name__


def _reason(key: str, path: Path) -> str:
    reason = _REASONS[key]
    holder = _holder(path) if "{holder}" in reason else ""
    return reason.format(holder=holder, aside=_aside(path) if "{aside}" in reason else "")


def _aside(path: Path) -> str:
    """A command that moves a file out of the way, to a name that is free."""
    number = 1
    while (free := path.with_name(f"{path.name}.old{number}")).exists():
        number += 1
    return f"'{pasteable('mv', path, free)}'"


def _holder(path: Path) -> str:
    """Another process that has a file open, as far as this user may see."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            files = (Path(held.path) for held in process.open_files())
            if process.pid != os.getpid() and path.resolve() in files:
                return f"process {process.pid} ({process.name()})"
    return "another process"
