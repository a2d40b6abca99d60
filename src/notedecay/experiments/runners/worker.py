"""The process of one trial, which sends messages to the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

import torch

from notedecay.core.errors import MachineError, UserError
from notedecay.core.files import replacing
from notedecay.experiments.runners.base import DiedFault, Fault, MachineFault
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial

ERROR = "error.txt"

Execute = Callable[[Trial, TrialStore, str, Callable[[int, int, Mapping[str, float]], None]], None]
"""As :func:`notedecay.experiments.execute.execute`."""

Epoch = tuple[int, int, Mapping[str, float]]
Message = Epoch | Fault | None
"""Messages of a worker: epochs, and at last the fault or None."""


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
        Sends messages.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(*epoch: Any) -> None:
        try:
            connection.send(epoch)
        except OSError:  # the other process has ended
            os._exit(1)

    connection.send(outcome(execute, trial, store, device, send))


def outcome(
    execute: Execute,
    trial: Trial,
    store: TrialStore,
    device: str,
    on_epoch: Callable[[int, int, Mapping[str, float]], None],
) -> Fault | None:
    """Run a trial; return why it failed, or None. The traceback of a bug is kept in the store."""
    try:
        execute(trial, store, device, on_epoch)
    except (MachineError, OSError) as error:
        return MachineFault(_one_line(error), 2)
    except UserError as error:
        return Fault(_one_line(error), 2)
    except (MemoryError, torch.OutOfMemoryError) as error:
        return DiedFault(f"out of memory: {_one_line(error)[:160]}", 2)
    except BaseException as error:
        path = store.unfinished(trial) / ERROR
        with replacing(path) as partial:
            partial.write_text(traceback.format_exc(), encoding="utf-8")
        return Fault(f"{type(error).__name__}: {_one_line(error)} (traceback: {path})", 1)
    return None


def streamed(execute: Execute, trial: Trial, store: TrialStore, device: str) -> Iterator[Message]:
    """Run a trial in a thread; yield its epochs as they come, then its fault or None."""
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def work() -> None:
        messages.put(outcome(execute, trial, store, device, lambda *epoch: messages.put(epoch)))

    threading.Thread(target=work, daemon=True).start()
    while isinstance(message := messages.get(), tuple):
        yield message
    yield message


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
