"""Errors of libraries and of the machine: one line for those that the user can mend."""

from __future__ import annotations

import errno
import sqlite3
import sys

import pytest
import sqlalchemy
from mlflow.exceptions import MlflowException
from optuna.exceptions import StorageInternalError
from safetensors import SafetensorError

from notedecay.cli import main
from notedecay.core import config
from tests.cli.conftest import assert_refused


def from_database(error: Exception, said: str) -> Exception:
    """An error as MLflow or Optuna makes it of one of SQLite."""
    error.__cause__ = sqlite3.OperationalError(said)
    return error


DISK_FULL = "No space left on device"
FAILURES = {
    "disk": (OSError(errno.ENOSPC, DISK_FULL, "/x/[a].json"), ["/x/[a].json", DISK_FULL, "Free"]),
    "copy": (
        OSError(errno.ENOSPC, DISK_FULL, "/tmp/made.png", None, "/x/kept.png"),
        ["/x/kept.png: "],
    ),
    "read-only": (OSError(errno.EROFS, "Read-only file system", "/x"), ["/x: Read-only file"]),
    "denied": (PermissionError(errno.EACCES, "Permission denied", "/x"), ["/x: Permission"]),
    "torch": (
        RuntimeError("[enforce fail at inline_container.cc:626] . unexpected pos 64 vs 0"),
        ["a file cannot be written", "is the disk full?"],
    ),
    "weights": (SafetensorError(f"I/O error: {DISK_FULL} (os error 28)"), ["is the disk full?"]),
    "runs": (
        from_database(MlflowException("(sqlite3.OperationalError)"), "database or disk is full"),
        ["mlruns/mlflow.db", "the disk is full: free some space"],
    ),
    "locked": (
        from_database(MlflowException("(sqlite3.OperationalError)"), "database is locked"),
        ["mlruns/mlflow.db", "it is locked by"],
    ),
    "studies": (
        from_database(StorageInternalError("..."), "attempt to write a readonly database"),
        ["mlruns/optuna.db", "it is read-only"],
    ),
    "study": (
        from_database(sqlalchemy.exc.OperationalError("", {}, Exception()), "disk I/O error"),
        ["mlruns/optuna.db", "the disk failed"],
    ),
    "server": (MlflowException("API request\nfailed"), ["the tracking store", "API request"]),
}


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("kind", FAILURES)
def test_what_the_machine_refuses_is_one_line(command, monkeypatch, kind):
    error, words = FAILURES[kind]

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(config, "load_params", fails)
    assert_refused(command("report"), *words)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("error", [ZeroDivisionError("x"), RuntimeError("x"), KeyError("x")])
def test_a_fault_of_the_program_is_not_hidden(monkeypatch, error):
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(config, "load_params", fails)
    monkeypatch.setattr(sys, "argv", ["notedecay", "report"])
    with pytest.raises(type(error)):
        main()


@pytest.mark.parametrize("name", ["a\nb", "a\x85b", "a\udcffb", "a\x1b[31mb", "a\u2028b"])
def test_a_name_that_no_terminal_shows_is_escaped_in_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["generate", "--model", "m", "--prime", name, "--out", "x.txt"]
    monkeypatch.setattr("sys.argv", ["notedecay", *arguments[:-1], f"{name}.txt"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert len(printed.splitlines()) == 1
    assert ascii(name)[1:-1] in printed
