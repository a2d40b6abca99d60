"""Run the trials that a search, a training or a study lists, and track them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.base import DiedFault, Fault, Runner
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


MAX_TRIES = 3
"""How often a trial is run whose process dies."""

OnResult = Callable[[Listed, dict[str, Any], str], None]
"""Called with a trial, its result, and the id of its run."""

OnFault = Callable[[Listed, Fault], None]
"""Called with a trial that has no result, and the reason."""


def run_trials(
    listed: Iterable[Listed | None],
    runner: Runner,
    store: TrialStore,
    sink: TrialSink,
    bars: TrialBars,
    *,
    on_result: OnResult = lambda *_: None,
    on_fault: OnFault = lambda *_: None,
) -> dict[str, Fault]:
    """Run the trials that have no result, and track all.

    A trial whose process dies is tried again, alone: memory may have been short.

    Parameters
    ----------
    listed : iterable of Listed or None
        Iterated when the runner can start a trial; earlier results have been passed on by then.
        None says that no trial can start now, but one may later.
    runner : Runner
        Runs them.
    store : TrialStore
        The store of the runner; a trial with a result in it is not run again.
    sink : TrialSink
        Tracks them.
    bars : TrialBars
        Draws the progress.
    on_result : callable
        Called with each result, new or stored.
    on_fault : callable
        Called with each trial that failed.

    Returns
    -------
    dict of str to Fault
        Why a trial failed, by name; the other trials are run nevertheless.
    """
    session = _Session(store, sink, bars, on_result, on_fault)
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
        on_result: OnResult,
        on_fault: OnFault,
    ) -> None:
        self._store, self._sink, self._bars = store, sink, bars
        self._on_result, self._on_fault = on_result, on_fault
        self._begun: dict[str, Listed] = {}
        self._running: set[str] = set()
        self._died: deque[Trial] = deque()
        self._tries: Counter[str] = Counter()
        self.failed: dict[str, Fault] = {}

    def waiting(self, listed: Iterable[Listed | None]) -> Iterator[Trial | None]:
        """Trials that have to be run; those with a result are ended at once."""
        for one in listed:
            yield from self._retries()
            if one is None:
                yield None
            elif one.trial.fingerprint not in self._begun:
                yield from self._first_try(one)
        while self._running or self._died:
            yield from self._retries()
            yield None

    def _first_try(self, one: Listed) -> Iterator[Trial]:
        trial = one.trial
        self._begun[trial.fingerprint] = one
        self._sink.begin(trial, one.name, one.tags, one.parent)
        self._running.add(trial.fingerprint)
        if self._store.has(trial):
            self.end(trial, None)
        else:
            yield trial

    def _retries(self) -> Iterator[Trial | None]:
        """Trials whose process died, each when no other one runs."""
        while self._died:
            while self._running:
                yield None
            trial = self._died.popleft()
            self._running.add(trial.fingerprint)
            yield trial
            while self._running:
                yield None

    def report(self, trial: Trial, number: int, of: int, metrics: Mapping[str, float]) -> None:
        """Log and draw an epoch."""
        one = self._begun[trial.fingerprint]
        self._sink.epoch(trial, number, metrics)
        score = metrics.get(CHECKPOINT_SCORE)
        note = None if score is None else f"validation {score:.3f}"
        self._bars.epoch(one.name, number, of, note)

    def end(self, trial: Trial, fault: Fault | None) -> None:
        """Log a trial that has ended; pass on its result, or why it failed, or try it again."""
        self._running.discard(trial.fingerprint)
        self._tries[trial.fingerprint] += 1
        if isinstance(fault, DiedFault):
            if self._tries[trial.fingerprint] < MAX_TRIES:
                self._died.append(trial)
                return
            fault = Fault(f"{fault.line} (tried {MAX_TRIES} times)", fault.code)
        one = self._begun[trial.fingerprint]
        if fault is None:
            result = self._store.result(trial)
            run_id = self._sink.end(trial, self._store.folder(trial), result)
            self._on_result(one, result, run_id)
        else:
            self._sink.fail(trial, fault.line)
            self.failed[one.name] = fault
            self._on_fault(one, fault)
        self._bars.end(one.name)
