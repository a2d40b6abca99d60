"""A study: trials with their places in a table, run and tracked together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import Fault
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.scoring import with_deviations
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import UNSEEN, Trial
from notedecay.metrics import MEASURES, Scores
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import ActiveRun, Tracker

STUDY, ROW = "notedecay.study", "notedecay.row"
"""Tags of runs: the name of a study; a hash of the trials of a row of its table."""


@dataclass(frozen=True)
class Placed:
    """A trial with its place in the table of a study.

    Attributes
    ----------
    condition : str
        The condition of the row, such as a length of the prime.
    label : str
        The system.
    trial : Trial
        One of the trials whose results form the row.
    """

    condition: str
    label: str
    trial: Trial

    @property
    def name(self) -> str:
        """Name of the row."""
        return f"{self.label}, {self.condition}"


@dataclass(frozen=True)
class Row:
    """Results of a system under a condition; every note is scored once.

    Attributes
    ----------
    condition, label : str
        As in the table.
    notes, partials : list of dict
        Rows of the CSV files.
    placed : list of Placed
        Its trials.
    """

    condition: str
    label: str
    notes: list[dict[str, Any]]
    partials: list[dict[str, Any]]
    placed: list[Placed]

    @property
    def name(self) -> str:
        """Name of the row, as each of its trials has it."""
        return self.placed[0].name

    @property
    def scores(self) -> list[Scores]:
        """Of each note."""
        return [_scores(note) for note in self.notes]

    def means(self) -> dict[str, float]:
        """Means over the notes, and standard deviations of the main measures."""
        return with_deviations(self.scores)


@dataclass(frozen=True)
class Study:
    """A study of an instrument.

    Attributes
    ----------
    project : Project
        Holds the store of trials and the runs.
    instrument : str
        Names the experiment in MLflow.
    kind : str
        Of its run, a key of :data:`notedecay.tracking.descriptions.RUNS`.
    title : str
        Distinguishes studies of one kind.
    seed : int
        Of the pipeline.
    clips : Path
        File of the notes.
    """

    project: Project
    instrument: str
    kind: str
    title: str
    seed: int
    clips: Path

    @property
    def store(self) -> TrialStore:
        """The store of its trials."""
        return TrialStore(self.project.trials)

    def run(self, placed: Sequence[Placed], placement: Placement, console: Console) -> list[Row]:
        """Run the trials that have no result, track all, and gather the rows.

        Parameters
        ----------
        placed : sequence of Placed
            All that the table needs.
        placement : Placement
            Where they run.
        console : Console
            Where progress is drawn.

        Returns
        -------
        list of Row
            In the order of the trials.

        Raises
        ------
        UserError
            A trial failed for a reason that the user can mend; the others have been run.
        SystemExit
            With a line to print, for a trial that failed otherwise.
        """
        tags = provenance(self.project, self.seed, self.clips)
        tracker = Tracker(self.project.mlruns, self.instrument, tags)
        tracker.end_orphans()
        with self._study_run(tracker) as run, TrialBars(console) as bars:
            bars.total(0, len(placed))
            listed = [
                Listed(one.trial, one.name, {"notedecay.condition": one.condition}, run.id)
                for one in placed
            ]
            raise_for(
                run_trials(
                    listed,
                    placement.runner(self.store),
                    self.store,
                    TrialSink(tracker, "fold", self.title),
                    bars,
                )
            )
            rows = gather(placed, self.store)
            for row in rows:
                _log_row(tracker, row, run.id)
            run.metrics({"rows": len(rows), "trials": len(placed)})
            run.table([{"row": row.name, **row.means()} for row in rows], "table.csv")
        return rows

    def _study_run(self, tracker: Tracker) -> AbstractContextManager[ActiveRun]:
        known = tracker.find(STUDY, self.title, self.kind)
        if known is not None:
            return tracker.resume(known.info.run_id)
        return tracker.run(f"{self.title} {self.instrument}", self.kind, tags={STUDY: self.title})


def raise_for(failed: Mapping[str, Fault]) -> None:
    """Raise for the first trial that failed, if any did."""
    for name, fault in failed.items():
        line = f"{name}: {fault.line}"
        raise UserError(line) if fault.code == 2 else SystemExit(f"error: {line}")


def gather(placed: Sequence[Placed], store: TrialStore) -> list[Row]:
    """Gather the results of trials into rows, in the order of the trials."""
    grouped: dict[tuple[str, str], list[Placed]] = {}
    for one in placed:
        grouped.setdefault((one.condition, one.label), []).append(one)
    return [_row(condition, label, group, store) for (condition, label), group in grouped.items()]


def _row(condition: str, label: str, placed: list[Placed], store: TrialStore) -> Row:
    results = [store.result(one.trial) for one in placed]
    where = {"condition": condition, "model": label}
    notes = [where | note for result in results for note in result["notes"][UNSEEN]]
    partials = [where | partial for result in results for partial in result["partials"][UNSEEN]]
    return Row(condition, label, notes, partials, placed)


def _scores(note: Mapping[str, Any]) -> Scores:
    """Scores of a note's row, whose nulls stand for NaN."""
    known = {m: math.nan if note[m] is None else float(note[m]) for m in MEASURES}
    return Scores(**known, judged=int(note["judged"]))


def _log_row(tracker: Tracker, row: Row, parent: str) -> None:
    """Log the means of a row to a run of its own, once."""
    trials = [one.trial for one in row.placed]
    made_of = "\n".join(sorted(trial.fingerprint for trial in trials))
    key = hashlib.sha256(f"{row.condition}\n{made_of}".encode()).hexdigest()[:16]
    known = tracker.find(ROW, key, "row")
    if known is not None and known.info.status == "FINISHED":
        return
    with tracker.run(
        row.name,
        "row",
        params={"model": trials[0].model, **trials[0].settings},
        tags={ROW: key, "notedecay.condition": row.condition},
        parent=parent,
    ) as run:
        run.metrics({f"{UNSEEN}.{measure}": value for measure, value in row.means().items()})
