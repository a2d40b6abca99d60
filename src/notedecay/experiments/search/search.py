"""The search: trials of a study's slots, run and tracked until the study has enough of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from notedecay.core.config import Search
from notedecay.core.errors import UserError
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import Fault, MachineFault, Runner
from notedecay.experiments.search.finals import trial_name
from notedecay.experiments.search.pareto import calibration, values
from notedecay.experiments.search.pruning import rule_for
from notedecay.experiments.search.sampler import Plan, Point
from notedecay.experiments.search.slots import Slots, begun_now
from notedecay.experiments.search.storage import SharedStudy
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import PRUNED, SEEN, VALIDATION, Artifacts, Trial
from notedecay.tracking.runs import ActiveRun, Tracker, process_is_gone
from notedecay.training.evaluator import spread
from notedecay.training.selection import CHECKPOINT_SCORE

STUDY = "notedecay.study"
"""Tag of the run of a study: the name of the study."""

TRIAL_NUMBER = "notedecay.trial_number"
"""Tag of the run of a trial: its slot."""


@dataclass(frozen=True)
class Notes:
    """Notes that the trials of a search work on.

    Attributes
    ----------
    dataset : Dataset
        Its train and validation notes are used.
    seen : int
        Number of training notes that are evaluated too.
    checkpoint : int
        Most validation notes that are scored while a model is trained.
    listen : int
        Number of notes of each evaluation set that are kept as audio and pictures.
    """

    dataset: Dataset
    seen: int
    checkpoint: int
    listen: int


@dataclass(frozen=True)
class Study:
    """What the trials of a study are made from.

    Attributes
    ----------
    name : str
        It changes with anything that makes trials incomparable.
    config : Search
        Space and length.
    notes : Notes
        Of the trials.
    plan : Plan
        What the points depend on.
    """

    name: str
    config: Search
    notes: Notes
    plan: Plan


@dataclass(frozen=True)
class Resources:
    """What a search works with.

    Attributes
    ----------
    shared : SharedStudy
        Holds what is over; of the study's name.
    store : TrialStore
        The store of the runner.
    runner : Runner
        Runs the trials.
    tracker : Tracker
        Gets a run per study and per trial.
    bars : TrialBars
        Draws the progress.
    """

    shared: SharedStudy
    store: TrialStore
    runner: Runner
    tracker: Tracker
    bars: TrialBars


def search(study: Study, resources: Resources) -> dict[int, FrozenTrial]:
    """Run trials until the study has enough; call again to resume after an interruption.

    Any number of processes may do so at once: each slot is worked on by one of them, and all
    return when the last slot is over.

    Parameters
    ----------
    study : Study
        What to search.
    resources : Resources
        What to search with.

    Returns
    -------
    dict of int to FrozenTrial
        The finished trials by slot.

    Raises
    ------
    UserError
        The machine lacks something, such as disk space: the study goes on with the next call.
    """
    config = study.config
    shared, tracker, bars = resources.shared, resources.tracker, resources.bars
    tracker.end_orphans(lambda tags: _is_orphan(tags, shared))
    slots = Slots(shared, study.plan, config.trials, config.patience)
    with ExitStack() as stack:
        with shared.claims.alone():  # the run is made once
            run = stack.enter_context(_study_run(tracker, study))
        sink = stack.enter_context(TrialSink(tracker, "trial", study.name))
        listing = _Listing(study, slots, resources.store, run.id, bars)
        try:
            run_trials(
                listing, resources.runner, resources.store, sink, bars,
                on_result=listing.finish, on_fault=listing.fail,
            )  # fmt: skip
        finally:
            slots.leave()
        over, length = slots.over()
        if length.reason:
            bars.warn(length.reason)
        run.metrics({"trials": len(over)})
        run.table(rows(over), "trials.csv")
    return over


def rows(over: Mapping[int, FrozenTrial]) -> list[dict[str, Any]]:
    """Number, state, score and parameters of each finished trial."""
    return [
        {
            "trial": slot,
            "state": trial.state.name.lower(),
            "score": trial.user_attrs.get("score"),
            **trial.params,
        }
        for slot, trial in sorted(over.items())
    ]


def trial_of(study: Study, point: Point, over: Mapping[int, FrozenTrial]) -> Trial:
    """The trial of a slot, with the rule that prunes it."""
    dataset, config = study.notes.dataset, study.config
    ids = dataset.checkpoint_ids(study.notes.checkpoint)
    validation = [clip for clip in dataset.part("validation") if clip.id in set(ids)]
    sets = {SEEN: dataset.seen(study.notes.seen), VALIDATION: validation}
    listen = [clip.id for notes in sets.values() for clip in spread(notes, study.notes.listen)]
    return Trial(
        model=point.model,
        settings={**point.settings, "epochs": config.epochs},
        signal=dataset.signal,
        clips=dataset.path,
        train=dataset.ids("train"),
        validation=ids,
        evaluation={name: tuple(clip.id for clip in notes) for name, notes in sets.items()},
        seed=point.seed,
        check_every=config.check_every,
        seconds=config.trial_seconds,
        prune=rule_for(study.plan, point, over, config),
        artifacts=Artifacts(listen=tuple(listen)),
    )


def _is_orphan(tags: Mapping[str, str], shared: SharedStudy) -> bool:
    """Whether nobody works on the slot of a run, or on its study, any more."""
    if tags.get("notedecay.kind") not in ("study", "trial") or STUDY not in tags:
        return process_is_gone(tags.get("notedecay.process", ""))
    with shared.claims_of(tags[STUDY]) as claims:
        slot = tags.get(TRIAL_NUMBER)
        return claims.is_idle() if slot is None else claims.is_free(int(slot))


def _study_run(tracker: Tracker, study: Study) -> AbstractContextManager[ActiveRun]:
    earlier = tracker.find(STUDY, study.name, "study")
    if earlier is not None:
        return tracker.resume(earlier.info.run_id)
    params = {"trials": study.config.trials, "epochs": study.config.epochs}
    return tracker.run(
        f"search {tracker.instrument}", "study", params=params, tags={STUDY: study.name}
    )


class _Listing:
    """Trials of the slots that this process claims; what becomes of them goes to the study."""

    def __init__(
        self, study: Study, slots: Slots, store: TrialStore, parent: str, bars: TrialBars
    ) -> None:
        self._study, self._slots, self._store = study, slots, store
        self._parent, self._bars = parent, bars
        self._points: dict[str, Point] = {}

    def __iter__(self) -> Iterator[Listed | None]:
        while True:
            over, needed = self._slots.over()
            self._bars.total(len(over), needed.slots)
            self._bars.summarise(summary(over))
            if len(over) >= needed.slots:
                return
            point = self._slots.claim(over, needed.slots)
            yield None if point is None else self._begin(point, over)

    def _begin(self, point: Point, over: Mapping[int, FrozenTrial]) -> Listed | None:
        trial = trial_of(self._study, point, over)
        history = self._store.history(trial)
        begun = begun_now(
            point.model, self._store.unfinished(trial).name, self._study.config.epochs
        )
        if not self._slots.start(point, begun, len(history)):
            self._slots.finish(
                point, TrialState.FAIL, None,
                {"reason": "its process died 3 times before the end of an epoch"},
            )  # fmt: skip
            return None
        self._points[trial.fingerprint] = point
        tags = {TRIAL_NUMBER: str(point.slot), STUDY: self._study.name}
        return Listed(trial, trial_name(point.slot, point.model), tags, self._parent)

    def finish(self, one: Listed, result: dict[str, Any], run_id: str) -> None:
        """Write the result of a trial to its slot, and remove the trial from the store.

        A training that diverged before its first evaluation has failed.
        """
        point = self._points.pop(one.trial.fingerprint)
        attributes = {
            "run_id": run_id,
            "score": result["score"],
            "scores": result["checkpoints"],
            "selected_epoch": result["epoch"],
            "calibration": calibration(result["partials"][VALIDATION]),
            "cost": result["cost"],
            "seconds": result["seconds"],
        }
        reports = {
            int(row["epoch"]): row[CHECKPOINT_SCORE]
            for row in result["history"]
            if CHECKPOINT_SCORE in row
        }
        if result["score"] is None:
            self._slots.finish(point, TrialState.FAIL, None, {"reason": result["ended"]})
        elif result["ended"] == PRUNED:
            self._slots.finish(point, TrialState.PRUNED, None, attributes, reports)
        else:
            aims = values(
                self._study.plan.objectives, score=attributes["score"],
                calibration=attributes["calibration"], cost=attributes["cost"],
            )  # fmt: skip
            self._slots.finish(point, TrialState.COMPLETE, aims, attributes, reports)
        self._store.remove(one.trial)

    def fail(self, one: Listed, fault: Fault) -> None:
        """Write a failed trial to its slot; a fault of the machine ends the search instead."""
        if isinstance(fault, MachineFault):
            raise UserError(f"{one.name}: {fault.line}")
        point = self._points.pop(one.trial.fingerprint)
        self._slots.finish(point, TrialState.FAIL, None, {"reason": fault.line})
        self._bars.warn(f"{one.name} failed: {fault.line}")
        self._store.remove(one.trial)


def summary(over: Mapping[int, FrozenTrial]) -> str:
    """The best score so far, and how many trials were pruned or failed, in a few words."""
    states = [trial.state for trial in over.values()]
    complete = [trial for trial in over.values() if trial.state == TrialState.COMPLETE]
    parts = []
    if complete:
        best = max(complete, key=lambda trial: trial.user_attrs["score"])
        parts.append(f"best {best.user_attrs['score']:.3f} {best.user_attrs['model']}")
    for state, word in ((TrialState.PRUNED, "pruned"), (TrialState.FAIL, "failed")):
        if states.count(state):
            parts.append(f"{states.count(state)} {word}")
    return ", ".join(parts)
