"""A process that does one job, and says how it goes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.experiments.trial import unfinished

ERROR = "error.txt"

J = TypeVar("J")

Work = Callable[[J, Path, str, Callable[[int, int], None]], None]
"""Does a job: given it, its folder, a device, and whom to tell an epoch and how many there are."""


@dataclass(frozen=True)
class Fault:
    """Why a job left no folder.

    Attributes
    ----------
    line : str
        What, where, and how to mend it, in one line.
    code : int
        What a command exits with: 2 for what the user can mend, 1 for all else.
    """

    line: str
    code: int


class Died(Fault):
    """The process died without a word; another try may do better."""


Word = tuple[int, int] | Fault | None
"""What a process says: an epoch and how many there are, and with its last word how it ended."""


def serve(work: Work[J], job: J, folder: Path, device: str, mouth: Connection) -> None:
    """Do a job; end with the process that asked for it.

    Parameters
    ----------
    work : callable
        Does the job.
    job, folder, device
        For ``work``.
    mouth : Connection
        Where words go.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def say(word: Word) -> None:
        try:
            mouth.send(word)
        except OSError:  # nobody listens any more
            os._exit(1)

    try:
        work(job, folder, device, lambda number, of: say((number, of)))
    except UserError as error:
        say(Fault(_one_line(error), 2))
    except BaseException as error:
        place = unfinished(folder) / ERROR
        with replacing(place) as path:
            path.write_text(traceback.format_exc(), encoding="utf-8")
        say(Fault(f"{type(error).__name__}: {_one_line(error)} (traceback: {place})", 1))
    else:
        say(None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
