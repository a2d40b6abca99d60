"""The interface of runners: they run trials, and report epochs and ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from notedecay.experiments.trial import Trial

OnEpoch = Callable[[Trial, int, int, Mapping[str, float]], None]
"""Called with a trial, an epoch, how many there are, and its metrics."""

Waiting = Iterable[Trial | None]
"""Trials, each given when it can start; None when none can start now, but one may later."""

POLL_SECONDS = 0.5
"""Time until a runner asks again after None."""


@dataclass(frozen=True)
class Fault:
    """Why a trial has no result.

    Attributes
    ----------
    line : str
        What failed, where, and how to mend it, in one line.
    code : int
        Exit code of a command: 2 for what the user can mend, 1 for all else.
    """

    line: str
    code: int


class DiedFault(Fault):
    """The process died, or memory was short: the trial may be tried again."""


class MachineFault(Fault):
    """The machine lacks something, such as disk space: no fault of the trial."""


OnEnd = Callable[[Trial, Fault | None], None]
"""Called with a trial that has ended, and with its fault if it has no result; may raise."""


def fill(
    waiting: Iterator[Trial | None], has_room: Callable[[], bool], start: Callable[[Trial], None]
) -> bool:
    """Start trials while there is room and one can start; return whether there may be more."""
    while has_room():
        try:
            trial = next(waiting)
        except StopIteration:
            return False
        if trial is None:
            return True
        start(trial)
    return True


class Runner(ABC):
    """Base class of runners; results go to the store that a runner is made with."""

    @abstractmethod
    def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        """Run trials; return when all have ended.

        Parameters
        ----------
        trials : iterable of Trial or None
            Iterated only when the next one can start: a search chooses it by earlier results.
        on_epoch : callable
            Called in this process with the progress of each trial.
        on_end : callable
            Called in this process when a trial has ended.

        Raises
        ------
        KeyboardInterrupt
            For an interrupt. Checkpoints are kept.
        """
