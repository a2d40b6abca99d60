"""The command ``notedecay paper``: run experiments of the paper, and write the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import Fault
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.scale import QUICK, Scale
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.studies.paper import document, page
from notedecay.studies.paper.plan import Planned, choose, plan
from notedecay.studies.paper.published import Published, read_published, table_rows
from notedecay.studies.paper.summary import Summary, merged, summaries
from notedecay.studies.paper.table import rows
from notedecay.tracking.descriptions import SCORES
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import Tracker

RESULTS = "paper"
PUBLISHED = "published.csv"
SUMMARIES = "results.json"
ABOUT = (
    "The experiments of Sander & Harder, run again with and without the paper's faults; the tables "
    f"are in docs/paper.md.\n\n{SCORES}"
)


@dataclass(frozen=True)
class Choice:
    """Options of the command.

    Attributes
    ----------
    scale : Scale
        Of the experiments.
    only : tuple of str
        Their names; all if empty.
    data : Path
        The data folder.
    published : Path or None
        The authors' own audio.
    placement : Placement
        Where the trials run.
    """

    scale: Scale
    only: tuple[str, ...]
    data: Path
    published: Path | None
    placement: Placement


def run_paper(project: Project, choice: Choice, console: Console) -> Iterator[str]:
    """Run the experiments that have no result, and write all pages.

    Yields
    ------
    str
        What was written, lacks recordings, or failed, in lines.

    Raises
    ------
    UserError
        For an experiment, a folder or a device that does not exist.
    SystemExit
        At the end, if a trial failed: with 1 for a bug, else 2.
    """
    choice.placement.check()
    if not choice.data.is_dir():
        raise UserError(f"{choice.data}: no such folder of recordings: run 'notedecay fetch' first")
    audible = read_published(choice.published) if choice.published else []
    results = project.results(RESULTS)
    chosen = choose(choice.only, main=choice.scale == QUICK and not choice.only)
    with console.status("reading the notes"):
        planned, lacking = plan(chosen, choice.scale, choice.data, results)
    failed = run_planned(planned, project, choice, console)
    for reason, names in _by_reason(lacking).items():
        yield f"{', '.join(names)}: {reason}"
    for name, fault in failed.items():
        yield f"{name}: failed: {fault.line}"
    yield from _pages(project, summaries(planned, TrialStore(project.trials)), audible)
    if failed:
        raise SystemExit(min(fault.code for fault in failed.values()))


def run_planned(
    planned: Sequence[Planned], project: Project, choice: Choice, console: Console
) -> dict[str, Fault]:
    """Run the trials that have no result, and track all.

    Returns
    -------
    dict of str to Fault
        Why a trial failed, by experiment and seed; the others are run nevertheless.
    """
    store = TrialStore(project.trials)
    tracker = Tracker(project.mlruns, RESULTS, {}, ABOUT)
    tracker.end_orphans()
    with TrialBars(console, "experiments") as bars:
        bars.total(0, len(planned))
        return run_trials(
            [Listed(one.trial, one.name, _tags(one, project)) for one in planned],
            choice.placement.runner(store),
            store,
            TrialSink(tracker, RESULTS, RESULTS),
            bars,
        )


def _tags(one: Planned, project: Project) -> dict[str, str]:
    return {
        "notedecay.paper.experiment": one.experiment.name,
        "notedecay.paper.scale": one.scale.name,
        "notedecay.data": f"{one.trial.signal.instrument}: {one.sources}",
        **provenance(project, one.trial.seed, one.trial.clips),
    }


def _by_reason(lacking: Mapping[str, str]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, reason in lacking.items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def _pages(project: Project, found: Sequence[Summary], audible: list[Published]) -> Iterator[str]:
    """Write the tables of all results, new and committed."""
    docs = project.root / "docs"
    store = docs / RESULTS / SUMMARIES
    known = merged(read_json(store) if store.exists() else [], found)
    write_json(known, store)
    table = rows(known, project.trials)
    measured = _published(audible, docs / RESULTS / PUBLISHED)
    document.write(table, measured, docs)
    yield f"{docs / 'paper.md'}: the tables"
    page_path = page.write(table, audible, document.measured(measured), project.results(RESULTS))
    yield f"{page_path}: audio and pictures"


def _published(audible: list[Published], kept: Path) -> list[dict[str, Any]]:
    """Scores of the authors' audio: measured now, or read from the committed file."""
    if audible:
        write_rows(table_rows(audible), kept)
    if not kept.exists():
        return []
    return [{str(k): v for k, v in row.items()} for row in pd.read_csv(kept).to_dict("records")]
