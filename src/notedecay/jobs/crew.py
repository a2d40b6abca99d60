"""Several jobs at once, each in a process of its own with one thread."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from notedecay.jobs.job import Job
from notedecay.jobs.work import work

Told = Callable[[Path, int, int], None]
"""Told the folder of a job, its epoch, and how many epochs it has."""

_epochs: Any = None


def run(
    jobs: Sequence[tuple[Job, Path]],
    *,
    processes: int,
    device: str,
    on_epoch: Told,
    on_end: Callable[[Path, BaseException | None], None],
) -> None:
    """Do jobs side by side.

    Parameters
    ----------
    jobs : sequence of (Job, Path)
        Each with the folder that it gets.
    processes : int
        How many at once.
    device : str
        As of :func:`notedecay.training.fit`.
    on_epoch : callable
        Told the progress of each.
    on_end : callable
        Told each folder that is there, or why it is not; may raise to end it all.
    """
    context = multiprocessing.get_context("spawn")
    epochs = context.Queue()
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(epochs,)
    )
    try:
        running = {pool.submit(_do, job, folder, device): folder for job, folder in jobs}
        while running:
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            _tell(epochs, on_epoch)
            for future in done:
                on_end(running.pop(future), future.exception())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
            process.join()


def _begin(epochs: Any) -> None:
    """Prepare a worker: one thread, since many small nets run side by side."""
    global _epochs
    _epochs = epochs
    # An interrupt is the parent's to handle; being ended, a worker takes its half away.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def _do(job: Job, folder: Path, device: str) -> None:
    work(job, folder, device, lambda number, of: _epochs.put((str(folder), number, of)))


def _tell(epochs: Any, on_epoch: Told) -> None:
    """Pass on what the workers said."""
    while True:
        try:
            folder, number, of = epochs.get_nowait()
        except queue.Empty:
            return
        on_epoch(Path(folder), number, of)
