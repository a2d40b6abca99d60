"""Check of file names: they must fit into lists, tables and databases."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from notedecay.core.errors import UserError

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, bytes that are no UTF-8, and line breaks."""
HIDDEN = (".", "__MACOSX")
"""First characters of hidden names: files of the system, and of macOS's archives."""


def unusable_name(path: PurePath) -> str | None:
    """Say why a path cannot be used, None for a usable one.

    Parameters
    ----------
    path : Path
        Any part of it counts.

    Returns
    -------
    str or None
        One line, in which the odd characters are escaped.
    """
    if not any(unicodedata.category(char) in _BREAKING for char in str(path)):
        return None
    return f"{str(path)!a}: its name holds a line break, or bytes that are no UTF-8: rename it"


def refuse_unusable(paths: Iterable[PurePath]) -> None:
    """Raise for the first path that :func:`unusable_name` rejects.

    Raises
    ------
    UserError
        With its line.
    """
    for path in paths:
        if reason := unusable_name(path):
            raise UserError(reason)


def is_hidden(relative: PurePath) -> bool:
    """Whether a path, relative to the folder searched, is hidden."""
    return any(part.startswith(HIDDEN) for part in relative.parts)
