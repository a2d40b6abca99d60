"""Atomic writing of files and folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from notedecay.core.commands import pasteable
from notedecay.core.errors import MachineError, UserError

MAX_NAME_BYTES = 255
"""Longest name of a file that common file systems accept (bytes)."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name, and rename it to ``path`` once it is complete.

    Parameters
    ----------
    path : Path
        The file to make or replace; its folder is made where it is missing.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    UserError
        The file cannot be written there.
    """
    partial = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise MachineError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading a damaged file into one line that names it.

    Parameters
    ----------
    path : Path
        The file; without its folder the work in it can be started again.

    Raises
    ------
    UserError
        For what reading and understanding a file raises.
    """
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        command = pasteable("rm", "-r", path.parent)
        raise UserError(f"{path} is damaged; to start that work again, run {command}") from error


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Fill a temporary folder, and rename it to ``folder`` once it is complete.

    Parameters
    ----------
    folder : Path
        The folder to make or replace.

    Yields
    ------
    Path
        An empty folder to fill.

    Raises
    ------
    UserError
        The folder cannot be written there.
    """
    partial, old = _beside(folder), _beside(folder, "old")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    except OSError as error:
        raise MachineError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path, kind: str = "partial") -> Path:
    """Hidden temporary path in the same folder; a name that is too long is shortened."""
    mark = f".{os.getpid()}.{kind}"
    start = os.fsencode(path.name)[: MAX_NAME_BYTES - len(mark) - 1].decode("utf-8", "ignore")
    return path.with_name(f".{start}{mark}")
