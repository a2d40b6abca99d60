"""The runner of several trials at once, each in its own process with one thread.

A process runs one trial and ends: its memory is freed, and if it is killed the other trials go on.
All processes are forked from a server that imports the modules once, which takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from multiprocessing.process import BaseProcess

from notedecay.experiments.execute import execute
from notedecay.experiments.runners.base import Fault, OnEnd, OnEpoch, Runner
from notedecay.experiments.runners.worker import DiedFault, Execute, Message, work
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial


class PoolRunner(Runner):
    """Runs trials in processes of this machine.

    If a trial fails, the others go on. A trial whose process dies is tried once more, alone, when
    all others have ended. An interrupt, SIGTERM, or an error of ``on_end`` ends all processes at
    once. If this process is killed, the others end too. For use in the main thread.

    Parameters
    ----------
    store : TrialStore
        Gets the results.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    processes : int
        How many trials run at once.
    execute : callable, optional
        Function of a module that runs a trial.
    """

    def __init__(
        self, store: TrialStore, device: str, processes: int, execute: Execute = execute
    ) -> None:
        self._store, self._device, self._processes = store, device, processes
        self._execute = execute

    def run(self, trials: Iterable[Trial], on_epoch: OnEpoch, on_end: OnEnd) -> None:
        """As of :meth:`Runner.run`."""
        with _terminated_as_interrupted(), _Pool(self, on_epoch, on_end) as pool:
            lost = pool.run(iter(trials), self._processes)
            for trial, fault in pool.run(iter([trial for trial, _ in lost]), 1):
                on_end(trial, fault)

    def start(self, context: multiprocessing.context.ForkServerContext, trial: Trial) -> _Running:
        """Start a process that runs a trial."""
        parent_end, child_end = context.Pipe()
        arguments = (self._execute, trial, self._store, self._device, child_end)
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        child_end.close()
        return _Running(trial, process, parent_end)

    @property
    def preloaded(self) -> list[str]:
        """Modules that the server imports once for all processes."""
        return ["__main__", __name__, self._execute.__module__]

    def sweep(self, trial: Trial) -> None:
        """Remove partial files of a killed process."""
        self._store.sweep(trial)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Running:
    """A running trial, its process and connection."""

    trial: Trial
    process: BaseProcess
    connection: connection.Connection


class _Pool:
    """The running processes; ``with`` kills those that still run at its end."""

    def __init__(self, runner: PoolRunner, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        self._runner, self._on_epoch, self._on_end = runner, on_epoch, on_end
        self._context = multiprocessing.get_context("forkserver")
        self._running: dict[connection.Connection, _Running] = {}

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

    def run(self, waiting: Iterator[Trial], processes: int) -> list[tuple[Trial, DiedFault]]:
        """Run trials and report their ends, but return those whose process died."""
        lost = []
        self._fill(waiting, processes)
        while self._running:
            ended = self._ended()
            for trial, fault in ended:
                if isinstance(fault, DiedFault):
                    lost.append((trial, fault))
                else:
                    self._on_end(trial, fault)
            self._fill(waiting, processes)
        return lost

    def _fill(self, waiting: Iterator[Trial], processes: int) -> None:
        while len(self._running) < processes and (trial := next(waiting, None)) is not None:
            running = self._runner.start(self._context, trial)
            self._running[running.connection] = running

    def _ended(self) -> list[tuple[Trial, Fault | None]]:
        """Wait for messages; answer epochs, and return the trials that have ended."""
        ended = []
        for ready in connection.wait(list(self._running)):
            one = self._running[ready]  # type: ignore[index]
            message = _receive(one)
            if isinstance(message, tuple):
                _answer(one, self._on_epoch(one.trial, *message))
                continue
            one.process.join()
            one.connection.close()
            del self._running[one.connection]
            self._runner.sweep(one.trial)
            ended.append((one.trial, message))
        return ended


def _receive(one: _Running) -> Message:
    try:
        message: Message = one.connection.recv()
        return message
    except (EOFError, OSError):
        one.process.join()
        return _death(one.process.exitcode)


def _answer(one: _Running, end: bool) -> None:
    with suppress(OSError):  # if it has died, that is found at the next message
        one.connection.send(end)


def _death(exitcode: int | None) -> DiedFault:
    if exitcode == -signal.SIGKILL:
        return DiedFault(
            "killed, also when tried alone, probably for lack of memory: "
            "free some, or try fewer --processes",
            2,
        )
    return DiedFault(f"its process died with exit code {exitcode}, also when tried alone", 1)
