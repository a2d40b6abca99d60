"""The runner that runs one trial after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping

from notedecay.experiments.execute import execute
from notedecay.experiments.runners.base import POLL_SECONDS, OnEnd, OnEpoch, Runner, Waiting
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial


class SerialRunner(Runner):
    """Runs trials in this process; an error of a trial ends all.

    Parameters
    ----------
    store : TrialStore
        Gets the results.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    """

    def __init__(self, store: TrialStore, device: str) -> None:
        self._store, self._device = store, device

    def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        """As of :meth:`Runner.run`."""
        for trial in trials:
            if trial is None:
                time.sleep(POLL_SECONDS)
                continue

            def report(
                epoch: int, of: int, metrics: Mapping[str, float], trial: Trial = trial
            ) -> None:
                on_epoch(trial, epoch, of, metrics)

            execute(trial, self._store, self._device, report)
            on_end(trial, None)
