"""What ``notedecay ablate`` does: what each idea of the best model buys, on notes to choose by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.files import replacing
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_rows
from notedecay.experiments.dataset import load_dataset
from notedecay.plots import save
from notedecay.reports.publishing import Picture, publish
from notedecay.studies.ablation.effects import markdown, outcomes
from notedecay.studies.ablation.forest_plot import forest
from notedecay.studies.ablation.variants import variants
from notedecay.studies.crossval.command import FOLDER
from notedecay.studies.crossval.doing import do
from notedecay.studies.crossval.plan import Trial, cross_validated
from notedecay.studies.crossval.results import verdicts
from notedecay.training import choose_device

PARTS = ("train", "validation")
"""Whoever looks here chooses; so the test notes of the split stay unseen."""
SHOWS = (
    "What each idea buys: the difference over the same notes and its 95 % interval, as in the "
    "table above."
)


@dataclass(frozen=True)
class Choice:
    """What the user asked for.

    Attributes
    ----------
    instruments : tuple of str
        All of ``params.yaml`` if empty.
    ideas : tuple of str
        To take away; all of the model if empty.
    seeds : int
        How often all is trained anew, on other folds and from other weights.
    processes : int
        Trainings at once.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    instruments: tuple[str, ...]
    ideas: tuple[str, ...]
    seeds: int
    processes: int
    device: str


def run_ablation(
    project: Project, params: Params, choice: Choice, console: Console
) -> Iterator[str]:
    """Train the best model with and without each of its ideas, and say what each buys.

    Yields
    ------
    str
        What was written, in lines.

    Raises
    ------
    UserError
        For an instrument that is not prepared or searched, a continuator without listed ideas,
        an idea that is not listed, or a job that failed for a reason that the user can mend.
    SystemExit
        With a line to print, for a job that failed otherwise.
    """
    choose_device(choice.device)
    names = choice.instruments or tuple(params.instruments)
    # All are planned before the first is done: a mistake is told now, not in an hour.
    planned = {name: plan(project, params, name, choice.ideas, choice.seeds) for name in names}
    for name, jobs in planned.items():
        do(jobs, processes=choice.processes, device=choice.device, console=console)
        title = "-".join(["ablation", *(idea.replace(" ", "-") for idea in choice.ideas)])
        table = project.results(FOLDER) / name / f"{title}.csv"
        page = _write(name, _rows(jobs), table, project.root / "docs")
        yield f"{page}: {len(jobs)} jobs; rows in {table}"


def plan(
    project: Project, params: Params, name: str, ideas: Sequence[str], seeds: int
) -> list[Trial]:
    """All jobs of an instrument: each variant on each fold, for each seed.

    Parameters
    ----------
    project : Project
        Prepared and searched.
    params : Params
        Validated; its seed is the first.
    name : str
        Of the instrument.
    ideas : sequence of str
        To take away; all of the model if empty.
    seeds : int
        How many.
    """
    config = params.instrument(name)
    results = project.results(name)
    material = load_dataset(results, name, params)
    return cross_validated(
        variants(read_json(results / "best.json"), config.train.epochs, ideas),
        [clip for part in PARTS for clip in material.part(part)],
        material.path,
        material.signal,
        range(params.seed, params.seed + seeds),
        project.results(FOLDER) / name / "jobs",
    )


def _rows(jobs: Sequence[Trial]) -> list[dict[str, Any]]:
    """A row for each note, seed and variant."""
    return [
        {"variant": v.label, "seed": v.trials[0].job.seed}
        | {k: x for k, x in note.items() if k not in ("condition", "continuator")}
        for v in verdicts(jobs)
        for note in v.notes
    ]


def _write(name: str, rows: Sequence[dict[str, Any]], table: Path, docs: Path) -> Path:
    """Table, text and picture beside each other, and a page of them in the documentation."""
    write_rows(rows, table)
    found = outcomes(rows)
    text, picture = table.with_suffix(".md"), table.with_suffix(".png")
    with replacing(text) as path:
        path.write_text(markdown(name, found), encoding="utf-8")
    save(forest(found, f"{name}: what each idea buys"), picture)
    page = f"{name}-{table.stem}"
    return publish(text, {f"{page}.png": Picture(picture, SHOWS)}, docs / FOLDER / f"{page}.md")
