"""The process of one trial, which sends messages to the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.experiments.runners.base import Fault
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial

ERROR = "error.txt"

Execute = Callable[[Trial, TrialStore, str, Callable[[int, int, Mapping[str, float]], bool]], None]
"""As :func:`notedecay.experiments.execute.execute`."""

Epoch = tuple[int, int, Mapping[str, float]]
Message = Epoch | Fault | None
"""Messages of a worker: epochs, each of which is answered, and at last the fault or None."""


class DiedFault(Fault):
    """Fault of a process that died without a message, so that its trial is tried again."""


def work(
    execute: Execute, trial: Trial, store: TrialStore, device: str, connection: Connection
) -> None:
    """Run a trial; end when the process that started it ends.

    Parameters
    ----------
    execute : callable
        Runs the trial.
    trial, store, device
        For ``execute``.
    connection : Connection
        Sends messages; receives after each epoch whether to end the trial.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def exchange(*epoch: Any) -> bool:
        try:
            connection.send(epoch)
            return bool(connection.recv())
        except (OSError, EOFError):  # the other process has ended
            os._exit(1)

    ended: Fault | None = None
    try:
        execute(trial, store, device, exchange)
    except UserError as error:
        ended = Fault(_one_line(error), 2)
    except BaseException as error:
        path = store.unfinished(trial) / ERROR
        with replacing(path) as partial:
            partial.write_text(traceback.format_exc(), encoding="utf-8")
        ended = Fault(f"{type(error).__name__}: {_one_line(error)} (traceback: {path})", 1)
    connection.send(ended)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
