"""Run the trials that a search, a training or a study lists, and track them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.base import Fault, Runner
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from notedecay.training.selection import CHECKPOINT_SCORE


@dataclass(frozen=True)
class Listed:
    """A trial in the list of a study.

    Attributes
    ----------
    trial : Trial
        What is run.
    name : str
        Name of its run and of its progress bar.
    tags : mapping of str to str
        Tags of its run, such as its place in the study.
    parent : str or None
        Id of the run that its run is shown under.
    """

    trial: Trial
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None


OnEpoch = Callable[[Listed, int, Mapping[str, float]], bool]
"""Called with a trial, its epoch and metrics; returns whether to end the trial."""

OnResult = Callable[[Listed, dict[str, Any], str], None]
"""Called with a trial, its result, and the id of its run."""


def run_trials(
    listed: Iterable[Listed],
    runner: Runner,
    store: TrialStore,
    sink: TrialSink,
    bars: TrialBars,
    *,
    on_epoch: OnEpoch = lambda *_: False,
    on_result: OnResult = lambda *_: None,
) -> dict[str, Fault]:
    """Run the trials that have no result, and track all.

    Parameters
    ----------
    listed : iterable of Listed
        Iterated when the runner can start a trial; earlier results have been passed on by then.
    runner : Runner
        Runs them.
    store : TrialStore
        The store of the runner; a trial with a result in it is not run again.
    sink : TrialSink
        Tracks them.
    bars : TrialBars
        Draws the progress.
    on_epoch : callable
        Called after each epoch; may end the trial.
    on_result : callable
        Called with each result, new or stored.

    Returns
    -------
    dict of str to Fault
        Why a trial failed, by name; the other trials are run nevertheless.
    """
    session = _Session(store, sink, bars, on_epoch, on_result)
    with sink:
        runner.run(session.waiting(listed), session.report, session.end)
    return session.failed


class _Session:
    """One call of :func:`run_trials`: the trials that have begun, and those that failed."""

    def __init__(
        self,
        store: TrialStore,
        sink: TrialSink,
        bars: TrialBars,
        on_epoch: OnEpoch,
        on_result: OnResult,
    ) -> None:
        self._store, self._sink, self._bars = store, sink, bars
        self._on_epoch, self._on_result = on_epoch, on_result
        self._begun: dict[str, Listed] = {}
        self.failed: dict[str, Fault] = {}

    def waiting(self, listed: Iterable[Listed]) -> Iterator[Trial]:
        """Trials that have to be run; those with a result are ended at once."""
        for one in listed:
            trial = one.trial
            if trial.fingerprint in self._begun:
                continue
            self._begun[trial.fingerprint] = one
            self._sink.begin(trial, one.name, one.tags, one.parent)
            if self._store.has(trial):
                self.end(trial, None)
            else:
                yield trial

    def report(self, trial: Trial, number: int, of: int, metrics: Mapping[str, float]) -> bool:
        """Log and draw an epoch; return whether to end the trial."""
        one = self._begun[trial.fingerprint]
        self._sink.epoch(trial, number, metrics)
        score = metrics.get(CHECKPOINT_SCORE)
        note = None if score is None else f"validation {score:.3f}"
        self._bars.epoch(one.name, number, of, note)
        return self._on_epoch(one, number, metrics)

    def end(self, trial: Trial, fault: Fault | None) -> None:
        """Log a trial that has ended, and pass its result on or note its fault."""
        one = self._begun[trial.fingerprint]
        if fault is None:
            result = self._store.result(trial)
            run_id = self._sink.end(trial, self._store.folder(trial), result)
            self._on_result(one, result, run_id)
        else:
            self._sink.fail(trial)
            self.failed[one.name] = fault
        self._bars.end(one.name)
