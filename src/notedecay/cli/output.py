"""What the commands print: remarks and progress, which ``--quiet`` hides, results and errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

AGAIN = "interrupted: the same command goes on where it stopped"
_quiet = False


def set_quiet(quiet: bool) -> None:
    """Hide remarks and progress, or show them."""
    global _quiet
    _quiet = quiet
    progress.cache_clear()


def plain(text: str) -> str:
    """Escape line breaks, control characters and bytes that are no UTF-8, as names may hold."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def say(line: str) -> None:
    """Print a remark in one line, as it is."""
    if not _quiet:
        print(plain(line))


def note(line: str) -> None:
    """Print a remark to standard error, as it is."""
    if not _quiet:
        print(plain(line), file=sys.stderr)


def result(line: str) -> None:
    """Print a line that names a result, also under ``--quiet``."""
    print(plain(line))


def result_path(path: Path, about: str) -> None:
    """Print where a result is and something about it; under ``--quiet`` the path alone."""
    result(str(path) if _quiet else f"{path}: {about}")


def error(line: str) -> None:
    """Print an error to standard error in one line."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, highlight=False)
    console.print(f"[red]error:[/] {escape(plain(line))}", soft_wrap=True)


@cache
def progress() -> Console:
    """Console for remarks and progress bars."""
    from rich.console import Console

    return Console(highlight=False, quiet=_quiet)


@cache
def tables() -> Console:
    """Console for tables that the user asked for."""
    from rich.console import Console

    return Console(highlight=False)


@contextmanager
def resumable() -> Iterator[None]:
    """Say after Ctrl-C that nothing is lost; the command then ends with code 130."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\n{AGAIN}", file=sys.stderr)
        raise
