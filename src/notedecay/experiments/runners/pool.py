"""Several jobs at once, each in a process of its own with one thread.

A process does one job and ends: if it is killed the other jobs go on, and its memory is given back.
All are forked from a server that has imported what they need, which takes seconds, once.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic

from filelock import FileLock, Timeout

from notedecay.core.errors import UserError
from notedecay.experiments.runners.worker import Died, Fault, J, Work, serve
from notedecay.experiments.trial import unfinished

Told = Callable[[Path, int, int], None]
"""Told the folder of a job, its epoch, and how many epochs it has."""

Ended = Callable[[Path, Fault | None], None]
"""Told the folder of a job that has ended, and why if it failed."""


def run(
    jobs: Sequence[tuple[J, Path]],
    work: Work[J],
    *,
    processes: int,
    device: str,
    on_epoch: Told,
    on_end: Ended,
) -> None:
    """Do jobs side by side; to be called in the main thread.

    A job that fails leaves the others be. One whose process dies is tried once more, alone, when
    all others have ended. An interrupt, SIGTERM, or an error of ``on_end`` ends all processes at
    once; checkpoints are kept. If this process is killed, the others notice, and end.

    Parameters
    ----------
    jobs : sequence of (job, Path)
        Each with the folder that it gets.
    work : callable
        A module's function that does a job.
    processes : int
        How many at once.
    device : str
        As of :func:`notedecay.training.fit`.
    on_epoch : callable
        Told the progress of each.
    on_end : callable
        Told each folder that is there, or why it is not; may raise to end it all.

    Raises
    ------
    UserError
        Another call does jobs in the same place.
    KeyboardInterrupt
        For an interrupt, and for SIGTERM.
    """
    with ExitStack() as stack:
        for place in sorted({folder.parent for _, folder in jobs}):
            stack.enter_context(_alone(place))
        stack.enter_context(_terminated_as_interrupted())
        crew = stack.enter_context(_Crew(work, device, on_epoch, on_end))
        lost = crew.do(jobs, processes)
        for one, fault in crew.do([(one.job, one.folder) for one, _ in lost], 1):
            on_end(one.folder, fault)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep other calls out of a folder of jobs, by a lock beside it."""
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f".{place.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"another call is at work in {place}; wait for its end, or end it"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Running(Generic[J]):
    """A job at work."""

    job: J
    folder: Path
    process: BaseProcess


class _Crew(Generic[J]):
    """The processes at work; on leaving, those that still are get killed."""

    def __init__(self, work: Work[J], device: str, on_epoch: Told, on_end: Ended) -> None:
        self._work, self._device = work, device
        self._on_epoch, self._on_end = on_epoch, on_end
        self._context = multiprocessing.get_context("forkserver")
        self._running: dict[connection.Connection, _Running[J]] = {}

    def __enter__(self) -> _Crew[J]:
        self._context.set_forkserver_preload(["__main__", __name__, self._work.__module__])
        # All processes inherit what the server is started with: one thread, and no interrupts,
        # which are for this process to handle.
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
            _sweep(one.folder)

    def do(self, jobs: Sequence[tuple[J, Path]], processes: int) -> list[tuple[_Running[J], Died]]:
        """Do jobs, and tell their ends; but those whose process died are returned, untold."""
        lost = []
        waiting = deque(jobs)
        self._fill(waiting, processes)
        while self._running:
            ended = self._ended()
            self._fill(waiting, processes)  # first, since telling an end may take a while
            for one, fault in ended:
                if isinstance(fault, Died):
                    lost.append((one, fault))
                else:
                    self._on_end(one.folder, fault)
        return lost

    def _fill(self, waiting: deque[tuple[J, Path]], processes: int) -> None:
        while waiting and len(self._running) < processes:
            job, folder = waiting.popleft()
            _sweep(folder)
            ear, mouth = self._context.Pipe(duplex=False)
            words = (self._work, job, folder, self._device, mouth)
            process = self._context.Process(target=serve, args=words, daemon=True)
            process.start()
            mouth.close()
            self._running[ear] = _Running(job, folder, process)

    def _ended(self) -> list[tuple[_Running[J], Fault | None]]:
        """Listen until somebody speaks; pass on epochs, and say who has ended and how."""
        ended = []
        speaking = connection.wait(list(self._running))
        for ear, one in [each for each in self._running.items() if each[0] in speaking]:
            try:
                word = ear.recv()
            except (EOFError, OSError):
                one.process.join()
                word = _death(one.process.exitcode)
            if isinstance(word, tuple):
                self._on_epoch(one.folder, *word)
                continue
            one.process.join()
            ear.close()
            del self._running[ear]
            _sweep(one.folder)
            ended.append((one, word))
        return ended


def _death(exitcode: int | None) -> Died:
    if exitcode == -signal.SIGKILL:
        return Died(
            "killed, also when tried alone, probably for want of memory: "
            "free some, or try fewer --processes",
            2,
        )
    return Died(f"its process died with exit code {exitcode}, also when tried alone", 1)


def _sweep(folder: Path) -> None:
    """Take away what a killed process left half written."""
    halves = [
        *folder.parent.glob(f".{glob.escape(folder.name)}.[0-9]*.*"),
        *unfinished(folder).glob(".*.partial"),
    ]
    for half in halves:
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink(missing_ok=True)
