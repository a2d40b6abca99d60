"""What ``notedecay paper`` does, from the choice of experiments to the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.studies.paper import document, page
from notedecay.studies.paper.plan import QUICK, Scale, choose, plan
from notedecay.studies.paper.published import Published, read_published, table_rows
from notedecay.studies.paper.run import do
from notedecay.studies.paper.summary import merged, summaries
from notedecay.studies.paper.table import rows
from notedecay.training import choose_device

RESULTS = "paper"
PUBLISHED = "published.csv"
SUMMARIES = "results.json"


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
    if not choice.data.is_dir():
        raise UserError(f"{choice.data}: no such folder of recordings: run 'notedecay fetch' first")
    audible = read_published(choice.published) if choice.published else []
    results = project.results(RESULTS)
    chosen = choose(choice.only, main=choice.scale == QUICK and not choice.only)
    with console.status("reading the notes"):
        planned, lacking = plan(chosen, choice.scale, choice.data, results)
    failed = do(planned, project, processes=choice.processes, device=choice.device, console=console)
    for reason, names in _by_reason(lacking).items():
        yield f"{', '.join(names)}: {reason}"
    for name, fault in failed.items():
        yield f"{name}: failed: {fault.line}"
    yield from _pages(project, results, audible)
    if failed:
        raise SystemExit(min(fault.code for fault in failed.values()))


def _by_reason(lacking: Mapping[str, str]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, reason in lacking.items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def _pages(project: Project, results: Path, audible: list[Published]) -> Iterator[str]:
    """Write what all results say, those at hand and those that were committed."""
    docs = project.root / "docs"
    store = docs / RESULTS / SUMMARIES
    known = merged(read_json(store) if store.exists() else [], summaries(results))
    write_json(known, store)
    table = rows(known, results)
    theirs = _published(audible, docs / RESULTS / PUBLISHED)
    document.write(table, theirs, docs)
    yield f"{docs / 'paper.md'}: the tables"
    page_path = page.write(table, audible, document.measured(theirs), results)
    yield f"{page_path}: the page to listen"


def _published(audible: list[Published], kept: Path) -> list[dict[str, Any]]:
    """What the authors' audio got: measured now, or when it was last at hand."""
    if audible:
        write_rows(table_rows(audible), kept)
    if not kept.exists():
        return []
    return [{str(k): v for k, v in row.items()} for row in pd.read_csv(kept).to_dict("records")]
