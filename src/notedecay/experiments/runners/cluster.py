"""The runner of trials on an existing Ray cluster.

Ray places the same work as the process pool. The project's folder is shared by all nodes under one
path, as on most clusters; each node checks that it has the same notes and code.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from notedecay.core.errors import UserError
from notedecay.experiments.execute import execute
from notedecay.experiments.runners.base import (
    POLL_SECONDS,
    DiedFault,
    Fault,
    OnEnd,
    OnEpoch,
    Runner,
    Waiting,
    fill,
)
from notedecay.experiments.runners.pool import terminated_as_interrupted
from notedecay.experiments.runners.worker import Execute, Message, streamed
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import RESULT, Trial

if TYPE_CHECKING:
    from notedecay.experiments.runners.placement import Placement

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
PROBE_SECONDS = 5.0
"""How long a cluster's address is tried; Ray itself would hang for minutes."""


class RayRunner(Runner):
    """Runs trials as tasks of a Ray cluster; a lost node's trials are tried again.

    Parameters
    ----------
    store : TrialStore
        Gets the results; on a file system that all nodes share.
    placement : Placement
        With the address of the cluster.
    execute : callable, optional
        Function of a module that runs a trial.
    """

    def __init__(self, store: TrialStore, placement: Placement, execute: Execute = execute) -> None:
        self._store, self._placement, self._execute = store, placement, execute

    def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        """As of :meth:`Runner.run`."""
        waiting = iter(trials)
        with (
            _connected(str(self._placement.ray)) as ray,
            terminated_as_interrupted(),  # after Ray, which has a handler of its own
            _Tasks(ray, self) as tasks,
        ):
            while tasks.fill(waiting) or tasks.running:
                for trial, message in tasks.messages():
                    if isinstance(message, tuple):
                        on_epoch(trial, *message)
                    else:
                        on_end(trial, message or self._missing(trial))

    def submit(self, ray: Any, trial: Trial) -> Any:
        """Submit the task of a trial; return the generator of its messages."""
        gpus = self._placement.gpus_per_trial if self.device(ray) == "cuda" else 0
        task = ray.remote(_messages).options(
            num_cpus=1, num_gpus=gpus, max_retries=0, num_returns="streaming",
            scheduling_strategy="SPREAD",
        )  # fmt: skip
        return task.remote(self._execute, trial, trial.fingerprint, self._store, self.device(ray))

    def device(self, ray: Any) -> str:
        """The device of each trial: a GPU where the cluster has any; Ray says which."""
        if self._placement.device != "auto":
            return self._placement.device
        return "cuda" if ray.cluster_resources().get("GPU") else "cpu"

    def room(self, ray: Any) -> int:
        """Trials at once."""
        found = ray.cluster_resources()
        cores = int(found.get("CPU", 1))
        if self.device(ray) == "cuda":
            cores = min(cores, int(found.get("GPU", 0)) * self._placement.trials_per_gpu())
        return max(1, min(cores, self._placement.workers or cores))

    def _missing(self, trial: Trial) -> Fault | None:
        """The fault of a trial whose result did not come to this machine."""
        folder = self._store.folder(trial)
        if (folder / RESULT).exists():
            return None
        return Fault(f"a node wrote its result where this machine has no {folder}: share it", 2)


class _Tasks:
    """The running tasks; ``with`` cancels those that still run at its end."""

    def __init__(self, ray: Any, runner: RayRunner) -> None:
        self._ray, self._runner = ray, runner
        self.running: dict[Any, Trial] = {}

    def __enter__(self) -> _Tasks:
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.running:
            self._ray.cancel(task, force=True)

    def fill(self, waiting: Iterator[Trial | None]) -> bool:
        """Submit trials while the cluster has room; return whether there may be more of them."""
        room = self._runner.room(self._ray)
        return fill(waiting, lambda: len(self.running) < room, self._submit)

    def _submit(self, trial: Trial) -> None:
        self.running[self._runner.submit(self._ray, trial)] = trial

    def messages(self) -> Iterator[tuple[Trial, Message]]:
        """Epochs and ends of the running trials, as far as they have come."""
        tasks = list(self.running)
        ready, _ = self._ray.wait(tasks, timeout=POLL_SECONDS) if tasks else ([], [])
        for task in ready:
            trial = self.running[task]
            try:
                message: Message = self._ray.get(next(task))
            except (self._ray.exceptions.RayError, StopIteration) as error:
                message = DiedFault(f"its node or process was lost ({type(error).__name__})", 1)
            if not isinstance(message, tuple):
                del self.running[task]
            yield trial, message


def _messages(
    execute: Execute, trial: Trial, fingerprint: str, store: TrialStore, device: str
) -> Iterator[Message]:
    """Run a trial on a node: its epochs, then its fault or None."""
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        found = replace(trial).fingerprint  # of this node's notes and code
    except (UserError, OSError) as error:
        yield Fault(f"{socket.gethostname()}: {error}", 2)
        return
    if found != fingerprint:
        yield Fault(
            f"{socket.gethostname()} has other notes in {trial.clips}, or another notedecay, than "
            "the machine that started the search: let all nodes share one folder and .venv",
            2,
        )
        return
    yield from streamed(execute, trial, store, device)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster.

    Raises
    ------
    UserError
        For Ray not installed, or a cluster that does not answer.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError("--ray needs Ray: pip install 'notedecay[cluster]'") from error
    _probe(address)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        token = "" if os.environ.get("RAY_AUTH_MODE") else ", or needs RAY_AUTH_MODE=token"
        text = " ".join(str(error).split())[:160]
        raise UserError(
            f"the Ray cluster at {address} does not answer: start it with 'ray start --head', "
            f"with this Python and the same Ray ({ray.__version__}){token} ({text})"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Connect to the address of a cluster for a moment."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"--ray {address}: give the address of a cluster as HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {address} ({error}): start one with 'ray start --head', "
            "whose output names the address"
        ) from error
