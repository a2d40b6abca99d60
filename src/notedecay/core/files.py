"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from notedecay.core.commands import pasteable
from notedecay.core.errors import UserError

LONGEST_NAME = 255
"""Bytes that a file system takes for one name."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside ``path``, and put it in its place once it is whole.

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
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Name a file of an interrupted work that turns out to be damaged when it is read.

    Parameters
    ----------
    path : Path
        The file; what was begun in its folder can be begun anew without the folder.

    Raises
    ------
    UserError
        For what reading and understanding a file raises.
    """
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        command = pasteable("rm", "-r", path.parent)
        raise UserError(f"{path} is damaged; to begin that work anew, run {command}") from error


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Fill an empty folder beside ``folder``, and put it in its place once it is whole.

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
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path, kind: str = "partial") -> Path:
    """A hidden neighbour, which holds only the beginning of a name that leaves no room."""
    mark = f".{os.getpid()}.{kind}"
    start = os.fsencode(path.name)[: LONGEST_NAME - len(mark) - 1].decode("utf-8", "ignore")
    return path.with_name(f".{start}{mark}")
