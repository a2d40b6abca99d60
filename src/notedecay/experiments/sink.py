"""Tracking of trials: an MLflow run each, with parameters, curves, figures, audio, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notedecay.experiments.trial import DIAGNOSIS, LISTEN, SNAPSHOTS, Trial
from notedecay.tracking.diagnosis import log_diagnosis
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.diagnostics.snapshots import read_snapshots

FINGERPRINT = "notedecay.trial"
"""Tag of a run: the fingerprint of its trial."""

OUTCOME = "notedecay.outcome"
"""Tag of a run: ``complete``, ``pruned``, or why the training diverged."""


class TrialSink:
    """Logs each trial to one run; used within ``with``, which ends all open runs.

    Parameters
    ----------
    tracker : Tracker
        Of the instrument's experiment.
    kind : str
        Of the runs, a key of :data:`notedecay.tracking.descriptions.RUNS`.
    study : str
        Distinguishes runs of the same trial in several studies.
    """

    def __init__(self, tracker: Tracker, kind: str, study: str) -> None:
        self._tracker, self._kind, self._study = tracker, kind, study
        self._open: dict[str, tuple[ExitStack, ActiveRun, set[int]]] = {}
        self._logged: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stack, _, _ in self._open.values():
            stack.__exit__(kind, error, trace)
        self._open = {}

    def begin(
        self, trial: Trial, name: str, tags: Mapping[str, str], parent: str | None = None
    ) -> None:
        """Open the run of a trial: a new one, or one that was interrupted."""
        known = self._tracker.find(FINGERPRINT, self._key(trial), self._kind)
        if known is not None and known.info.status == "FINISHED":
            self._logged[trial.fingerprint] = known.info.run_id
            return
        stack = ExitStack()
        if known is not None:
            run = stack.enter_context(self._tracker.resume(known.info.run_id))
        else:
            run = stack.enter_context(
                self._tracker.run(
                    name,
                    self._kind,
                    params={"model": trial.model, "seed": trial.seed, **trial.settings},
                    tags={FINGERPRINT: self._key(trial), **tags},
                    parent=parent,
                )
            )
        self._open[trial.fingerprint] = stack, run, run.steps("train_loss") if known else set()

    def epoch(self, trial: Trial, number: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of an epoch, once."""
        if trial.fingerprint in self._open:
            _, run, steps = self._open[trial.fingerprint]
            if number not in steps:
                steps.add(number)
                run.metrics(metrics, number)

    def end(self, trial: Trial, folder: Path, result: Mapping[str, Any]) -> str:
        """Log the result of a trial and end its run; return the run's id."""
        if trial.fingerprint in self._logged:
            return self._logged.pop(trial.fingerprint)
        for row in result["history"]:  # a killed process has not sent its last metrics
            values = {k: v for k, v in row.items() if k != "epoch" and v is not None}
            self.epoch(trial, int(row["epoch"]), values)
        stack, run, _ = self._open.pop(trial.fingerprint)
        with stack:
            _log_result(run, trial, folder, result)
        return run.id

    def fail(self, trial: Trial, reason: str) -> None:
        """End the run of a trial that has no result as failed."""
        if trial.fingerprint in self._open:
            stack, run, _ = self._open.pop(trial.fingerprint)
            run.tag({OUTCOME: reason})
            stack.__exit__(RuntimeError, RuntimeError(reason), None)

    def _key(self, trial: Trial) -> str:
        return f"{trial.fingerprint}@{self._study}"


def _log_result(run: ActiveRun, trial: Trial, folder: Path, result: Mapping[str, Any]) -> None:
    run.tag({OUTCOME: result["ended"], "notedecay.device": result["device"]})
    if result["epoch"]:
        run.metrics({"selected.epoch": result["epoch"]})
    values = {f"{s}.{k}": v for s, means in result["figures"].items() for k, v in means.items()}
    errors = result.get("teacher_forced") or {}
    values |= {f"{name}.teacher_forced_error": error for name, error in errors.items()}
    run.metrics({name: value for name, value in values.items() if value is not None})
    if trial.artifacts.listen:
        run.folder(folder / LISTEN, LISTEN)
        run.images(folder / LISTEN)
    if snapshots := read_snapshots(folder / DIAGNOSIS / SNAPSHOTS):
        log_diagnosis(run, snapshots)
