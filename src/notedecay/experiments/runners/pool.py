"""The runner of several trials at once, each in its own process with one thread.

A process runs one trial and ends: its memory is freed, and if it is killed the other trials go on.
All processes are forked from a server that imports the modules once, which takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from multiprocessing.process import BaseProcess
from typing import Any

from notedecay.experiments.execute import execute
from notedecay.experiments.runners.base import (
    POLL_SECONDS,
    DiedFault,
    OnEnd,
    OnEpoch,
    Runner,
    Waiting,
    fill,
)
from notedecay.experiments.runners.worker import Execute, Message, work
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial


class PoolRunner(Runner):
    """Runs trials in processes of this machine.

    If a trial fails, or its process dies, the others go on. An interrupt, SIGTERM, or an error of
    ``on_end`` ends all processes at once. If this process is killed, the others end too. For use
    in the main thread.

    Parameters
    ----------
    store : TrialStore
        Gets the results.
    devices : sequence of str
        The device of each process, such as ``cpu`` or ``cuda:1``; as many trials run at once.
    execute : callable, optional
        Function of a module that runs a trial.
    """

    def __init__(
        self, store: TrialStore, devices: Sequence[str], execute: Execute = execute
    ) -> None:
        self._store, self._execute = store, execute
        self.devices = list(devices)

    def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        """As of :meth:`Runner.run`."""
        with terminated_as_interrupted(), _Pool(self, on_epoch, on_end) as pool:
            pool.run(iter(trials))

    def start(
        self, context: multiprocessing.context.ForkServerContext, trial: Trial, device: str
    ) -> _Running:
        """Start a process that runs a trial on a device."""
        parent_end, child_end = context.Pipe()
        arguments = (self._execute, trial, self._store, device, child_end)
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        child_end.close()
        return _Running(trial, device, process, parent_end)

    @property
    def preloaded(self) -> list[str]:
        """Modules that the server imports once for all processes."""
        return ["__main__", __name__, self._execute.__module__]

    def sweep(self, trial: Trial) -> None:
        """Remove partial files of a killed process."""
        self._store.sweep(trial)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Running:
    """A running trial, its device, process and connection."""

    trial: Trial
    device: str
    process: BaseProcess
    connection: connection.Connection


class _Pool:
    """The running processes; ``with`` kills those that still run at its end."""

    def __init__(self, runner: PoolRunner, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        self._runner, self._on_epoch, self._on_end = runner, on_epoch, on_end
        self._context = multiprocessing.get_context("forkserver")
        self._running: dict[connection.Connection, _Running] = {}
        self._free = list(runner.devices)

    def __enter__(self) -> _Pool:
        self._context.set_forkserver_preload(self._runner.preloaded)
        # All processes inherit from the server: one thread, and no interrupts, which only this
        # process handles.
        os.environ["OMP_NUM_THREADS"] = "1"
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        forkserver.ensure_running()
        signal.signal(signal.SIGINT, before)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._running.values():
            one.process.kill()
        for one in self._running.values():
            one.process.join()
            self._runner.sweep(one.trial)

    def run(self, waiting: Iterator[Trial | None]) -> None:
        """Run trials until there are no more, and report their epochs and ends."""
        while fill(waiting, lambda: bool(self._free), self._start) or self._running:
            self._pass_on(connection.wait(list(self._running), POLL_SECONDS))

    def _start(self, trial: Trial) -> None:
        running = self._runner.start(self._context, trial, self._free.pop(0))
        self._running[running.connection] = running

    def _pass_on(self, connections: list[Any]) -> None:
        """Receive a message of each connection; report epochs and ends."""
        for ready in connections:
            one = self._running[ready]
            message = _receive(one)
            if isinstance(message, tuple):
                self._on_epoch(one.trial, *message)
                continue
            one.process.join()
            one.connection.close()
            del self._running[one.connection]
            self._free.append(one.device)
            self._runner.sweep(one.trial)
            self._on_end(one.trial, message)


def _receive(one: _Running) -> Message:
    try:
        message: Message = one.connection.recv()
        return message
    except (EOFError, OSError):
        one.process.join()
        return _death(one.process.exitcode)


def _death(exitcode: int | None) -> DiedFault:
    if exitcode == -signal.SIGKILL:
        return DiedFault(
            "killed, probably for lack of memory: free some, or try fewer --workers", 2
        )
    return DiedFault(f"its process died with exit code {exitcode}", 1)
