"""Errors of libraries and of the system, in one line for the user."""

from __future__ import annotations

import errno

from notedecay.core.errors import UserError

AGAIN = "Free some space, then run the command again; nothing that is stored is lost"
DISK = ("No space left on device", "PytorchStreamWriter failed", "unexpected pos")
"""Messages of libraries that write files of their own when a disk is full."""


def line_of(error: Exception) -> str | None:
    """The line for an error that the user can mend; None for a fault of the program.

    Classes of MLflow, Optuna and SQLAlchemy are recognised by the names of their modules, since
    to import them takes seconds.
    """
    if isinstance(error, UserError):
        return str(error)
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if modules & {"mlflow", "optuna", "sqlalchemy", "sqlite3"}:
        from notedecay.tracking.store import failed

        return failed(error)
    if isinstance(error, OSError) and error.strerror:
        place = error.filename2 or error.filename  # of a copy, where it was to go
        where = f"{place}: " if place else ""
        return f"{where}{error.strerror}{f'. {AGAIN}' if error.errno == errno.ENOSPC else ''}"
    text = " ".join(str(error).split())
    if any(sign in text for sign in DISK):  # torch and safetensors do not raise an OSError
        return f"a file cannot be written ({text[:120]}): is the disk full? {AGAIN}"
    return None
