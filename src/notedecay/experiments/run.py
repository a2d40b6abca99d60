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
    under_way: dict[str, Listed] = {}
    failed: dict[str, Fault] = {}
    begun: set[str] = set()

    def report(trial: Trial, number: int, of: int, metrics: Mapping[str, float]) -> bool:
        one = under_way[trial.fingerprint]
        sink.epoch(trial, number, metrics)
        score = metrics.get(CHECKPOINT_SCORE)
        bars.epoch(one.name, number, of, None if score is None else f"validation {score:.3f}")
        return on_epoch(one, number, metrics)

    def end(trial: Trial, fault: Fault | None) -> None:
        one = under_way.pop(trial.fingerprint)
        if fault is None:
            result = store.result(trial)
            run_id = sink.end(trial, store.folder(trial), result)
            on_result(one, result, run_id)
        else:
            sink.fail(trial)
            failed[one.name] = fault
        bars.end(one.name)

    def waiting() -> Iterator[Trial]:
        for one in listed:
            if one.trial.fingerprint in begun:
                continue
            begun.add(one.trial.fingerprint)
            under_way[one.trial.fingerprint] = one
            sink.begin(one.trial, one.name, one.tags, one.parent)
            if store.has(one.trial):
                end(one.trial, None)
            else:
                yield one.trial

    with sink:
        runner.run(waiting(), report, end)
    return failed
