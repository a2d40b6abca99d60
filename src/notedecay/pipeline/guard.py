"""Lock of a stage, and the end of a stage whose ``dvc`` was killed.

Two processes that run the same stage would damage each other's runs, trials and versions. A stage
that outlives its ``dvc repro`` would still run when the next ``dvc repro`` starts.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from notedecay.core.errors import UserError

SHELLS = {"sh", "dash", "bash", "zsh", "fish", "ksh", "csh", "tcsh", "busybox"}
"""Shells that may run between ``dvc`` and the command of a stage."""

POLL_SECONDS = 0.5
GRACE_SECONDS = 20.0
"""Time that a stage has to end its runs before its process is ended by force."""


@contextmanager
def locked(
    mlruns: Path, stage: str, instrument: str, notify: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of a stage of an instrument; wait until it is free.

    The lock is of the operating system: it is free as soon as the process has ended.

    Parameters
    ----------
    mlruns : Path
        Folder of the local store, which holds the locks.
    stage, instrument : str
        What is locked.
    notify : callable
        Called with a line if another process holds the lock.

    Raises
    ------
    UserError
        The lock file cannot be made.
    """
    path = mlruns / ".locks" / f"{instrument}-{stage}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notify(
                f"another 'notedecay stage {stage} {instrument}' is running: waiting for its end"
            )
            lock.acquire()
    except OSError as error:
        raise UserError(
            f"{path} cannot be locked: {error.strerror or error}; make it writable"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _ancestors() -> list[psutil.Process]:
    """The process that started this one, and the shells between the two."""
    ancestors: list[psutil.Process] = []
    with suppress(psutil.Error):
        for one in psutil.Process().parents():
            ancestors.append(one)
            if one.name() not in SHELLS:
                break
    return ancestors


PARENT = os.getppid()
ANCESTORS = _ancestors() if "DVC_STAGE" in os.environ else []
"""Read on import: they may be killed in the seconds that importing torch takes."""


@contextmanager
def ended_with_dvc() -> Iterator[None]:
    """End this process when the ``dvc`` that started it has ended or was killed.

    Within the block SIGTERM is an interrupt, so that runs end as KILLED and temporary files are
    removed. A process that DVC has not started may outlive its parent, as under ``nohup``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = threading.Event()
    try:
        if ANCESTORS:
            threading.Thread(target=_watch, args=(done,), daemon=True).start()
        yield
    finally:
        done.set()
        signal.signal(signal.SIGTERM, before)


def _watch(done: threading.Event) -> None:
    while os.getppid() == PARENT and all(_is_alive(one) for one in ANCESTORS):
        if done.wait(POLL_SECONDS):
            return
    os.kill(os.getpid(), signal.SIGTERM)
    if not done.wait(GRACE_SECONDS):
        os._exit(1)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it exists, but its state is not known
        return True
