"""A stage alone at its work: one of a kind at a time, and none that nobody waits for.

Two at once would spoil each other's runs, trials and versions; and one that goes on when its
``dvc repro`` was killed would meet the next ``dvc repro``.
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
"""What may stand between ``dvc`` and the command of a stage."""

LOOK_SECONDS = 0.5
GRACE_SECONDS = 20.0
"""How long a stage may take to end its run before it is ended by force."""


@contextmanager
def alone(mlruns: Path, stage: str, instrument: str, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other process runs the stage for the instrument, and keep others out.

    The operating system holds the lock: it is free as soon as the process is gone.

    Parameters
    ----------
    mlruns : Path
        Shared by all that share runs, studies and registry.
    stage, instrument : str
        What is to be done once at a time.
    say : callable
        Told that there is one to wait for.

    Raises
    ------
    UserError
        The lock cannot be made there.
    """
    path = mlruns / ".locks" / f"{instrument}-{stage}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"another 'notedecay stage {stage} {instrument}' is at work: waiting for its end")
            lock.acquire()
    except OSError as error:
        raise UserError(
            f"{path} cannot be locked: {error.strerror or error}; make it writable"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _starters() -> list[psutil.Process]:
    """The process that runs this one, and the shells between the two."""
    starters: list[psutil.Process] = []
    with suppress(psutil.Error):
        for one in psutil.Process().parents():
            starters.append(one)
            if one.name() not in SHELLS:
                break
    return starters


PARENT = os.getppid()
STARTERS = _starters() if "DVC_STAGE" in os.environ else []
"""Asked for at once: while torch is imported, which takes seconds, they may be killed."""


@contextmanager
def ended_with_dvc() -> Iterator[None]:
    """End this process when the ``dvc`` that runs it is gone, also when that was killed.

    SIGTERM is an interrupt meanwhile, so that runs end as KILLED and files are taken away.
    Outside of DVC a process may outlive who started it, as under ``nohup``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = threading.Event()
    try:
        if STARTERS:
            threading.Thread(target=_watch, args=(done,), daemon=True).start()
        yield
    finally:
        done.set()
        signal.signal(signal.SIGTERM, before)


def _watch(done: threading.Event) -> None:
    while os.getppid() == PARENT and all(_is_alive(one) for one in STARTERS):
        if done.wait(LOOK_SECONDS):
            return
    os.kill(os.getpid(), signal.SIGTERM)
    if not done.wait(GRACE_SECONDS):
        os._exit(1)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and says no more
        return True
