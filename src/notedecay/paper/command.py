"""What ``notedecay paper`` does, from the choice of experiments to the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from notedecay.paper import document, page
from notedecay.paper.experiments import EXPERIMENTS
from notedecay.paper.plan import FULL, QUICK, REDUCED, Planned, Scale, choose, plan
from notedecay.paper.published import Published, read_published, table_rows
from notedecay.paper.run import do
from notedecay.paper.table import rows
from notedecay.pipeline.tables import write_rows
from notedecay.project import Project
from notedecay.training import choose_device

RESULTS = "paper"
PUBLISHED = "published.csv"


@dataclass(frozen=True)
class Choice:
    """What the user asked for.

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
    processes : int
        Trainings at once.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    scale: Scale
    only: tuple[str, ...]
    data: Path
    published: Path | None
    processes: int
    device: str


def run_paper(project: Project, choice: Choice, console: Console) -> Iterator[str]:
    """Run what is not done yet, and write all pages anew.

    Yields
    ------
    str
        What was done, lacking or failed, in lines.

    Raises
    ------
    UserError
        For an experiment, a folder or a device that is not there.
    SystemExit
        In the end, if a job failed: 1 for a bug, else 2.
    """
    choose_device(choice.device)
    audible = read_published(choice.published) if choice.published else []
    results = project.results(RESULTS)
    chosen = choose(choice.only, main=choice.scale == QUICK and not choice.only)
    with console.status("reading the notes"):
        planned, lacking = plan(chosen, choice.scale, choice.data, results)
    failed = do(planned, project, processes=choice.processes, device=choice.device, console=console)
    for name, reason in lacking.items():
        yield f"{name}: {reason}"
    for name, fault in failed.items():
        yield f"{name}: failed: {fault.line}"
    yield from _pages(project, choice.data, results, audible)
    if failed:
        raise SystemExit(min(fault.code for fault in failed.values()))


def _pages(project: Project, data: Path, results: Path, audible: list[Published]) -> Iterator[str]:
    """Write what all finished experiments say, at whatever scale."""
    finished: list[Planned] = []
    for scale in (FULL, REDUCED, QUICK):
        planned, lacking = plan(EXPERIMENTS, scale, data, results)
        finished += planned
    order = {experiment.name: place for place, experiment in enumerate(EXPERIMENTS)}
    table = sorted(rows(finished), key=lambda row: order[row.experiment.name])
    docs = project.root / "docs"
    document.write(table, _published(audible, docs / RESULTS / PUBLISHED), lacking, docs)
    yield f"{docs / 'paper.md'}: the tables"
    yield f"{page.write(table, audible, results)}: the page to listen"


def _published(audible: list[Published], kept: Path) -> list[dict[str, Any]]:
    """What the authors' audio got: measured now, or when it was last at hand."""
    if audible:
        write_rows(table_rows(audible), kept)
    if not kept.exists():
        return []
    return [{str(k): v for k, v in row.items()} for row in pd.read_csv(kept).to_dict("records")]
