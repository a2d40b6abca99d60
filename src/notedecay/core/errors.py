"""Errors whose message is for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """An error that the user can mend: one clear line, exit code 2, no traceback.

    The message says what is wrong, where, and how to mend it.
    """


class MachineError(UserError):
    """What this machine lacks, such as disk space or a device; later or elsewhere it may work."""


class DamagedError(UserError):
    """A file that is missing, or that holds other bytes than were written."""


def count(number: int, noun: str) -> str:
    """A number of things in words: ``1 file``, ``3 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint ``; did you mean 'x'?`` for a mistyped word, or the list of choices.

    Parameters
    ----------
    word : str
        What was typed.
    choices : iterable of str
        What would have been understood.

    Returns
    -------
    str
        A clause to append to a message.
    """
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"
