"""Where trials run: how many at once, on which devices, on this machine or on a Ray cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass

from notedecay.core.errors import UserError
from notedecay.experiments.runners.base import Runner
from notedecay.experiments.store import TrialStore
from notedecay.training.device import available_devices, choose_device


@dataclass(frozen=True)
class Placement:
    """Where trials run.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu``, ``mps``, ``cuda`` (all GPUs) or ``cuda:1``.
    workers : int or None
        Trials at once; by default one for each core, or as many as the GPUs have room for.
    gpus_per_trial : float
        Share of a GPU that a trial takes, 0..1: with 0.25 four trials share a GPU.
    ray : str or None
        Address of a Ray cluster that runs the trials instead of this machine.
    """

    device: str = "auto"
    workers: int | None = None
    gpus_per_trial: float = 1.0
    ray: str | None = None

    def check(self) -> None:
        """Check what can be checked before anything is done.

        Raises
        ------
        UserError
            For a device that this machine lacks, or a share of a GPU that is none.
        """
        self.trials_per_gpu()
        if self.ray is None:
            choose_device(self.device)

    def runner(self, store: TrialStore) -> Runner:
        """A runner of trials, whose results go to the store.

        Raises
        ------
        UserError
            For a device that this machine lacks, or a cluster that does not answer.
        """
        if self.ray is not None:
            from notedecay.experiments.runners.cluster import RayRunner

            return RayRunner(store, self)
        from notedecay.experiments.runners.pool import PoolRunner

        return PoolRunner(store, self.devices())

    def devices(self) -> list[str]:
        """The device of each worker on this machine; several workers may share one."""
        chosen = str(choose_device(self.device))
        if not chosen.startswith("cuda"):
            room = cores() if chosen == "cpu" else 1
            return [chosen] * (self.workers or room)
        gpus = [chosen] if ":" in chosen else [d for d in available_devices() if "cuda" in d]
        each = self.trials_per_gpu()
        return [gpus[i % len(gpus)] for i in range(self.workers or each * len(gpus))]

    def trials_per_gpu(self) -> int:
        """Trials at once on a GPU.

        Raises
        ------
        UserError
            For a share that is not above 0 and at most 1.
        """
        if not 0.0 < self.gpus_per_trial <= 1.0:
            raise UserError(
                f"--gpus-per-trial {self.gpus_per_trial:g}: give a share of a GPU above 0 and at "
                "most 1, such as 0.25 for four trials on each"
            )
        return int(1.0 / self.gpus_per_trial + 1e-9)


def cores() -> int:
    """Number of cores that this process may use, as of a batch system's limits."""
    return len(os.sched_getaffinity(0))
