"""The command ``notedecay ablate``: the contribution of each component of the best model."""

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
from notedecay.experiments.dataset import Dataset, load_dataset
from notedecay.experiments.runners.placement import Placement
from notedecay.plots import save
from notedecay.reports.publishing import Picture, publish
from notedecay.studies.ablation.effects import effects, markdown
from notedecay.studies.ablation.forest_plot import forest_plot
from notedecay.studies.ablation.variants import variants
from notedecay.studies.crossval.command import FOLDER
from notedecay.studies.crossval.plan import cross_validated
from notedecay.studies.study import Placed, Row, Study

PARTS = ("train", "validation")
"""Parts of the split that are used: components are chosen by them, so test notes stay unseen."""
SHOWS = (
    "What each component contributes: the difference over the same notes and its 95 % interval, "
    "as in the table above."
)


@dataclass(frozen=True)
class Choice:
    """Options of the command.

    Attributes
    ----------
    instruments : tuple of str
        All of ``params.yaml`` if empty.
    components : tuple of str
        To remove; all of the model if empty.
    seeds : int
        Number of repetitions, with other folds and initial weights.
    placement : Placement
        Where the trials run.
    """

    instruments: tuple[str, ...]
    components: tuple[str, ...]
    seeds: int
    placement: Placement


def run_ablation(
    project: Project, params: Params, choice: Choice, console: Console
) -> Iterator[str]:
    """Train the best model with and without each of its components, and compare.

    Yields
    ------
    str
        The files that were written, in lines.

    Raises
    ------
    UserError
        For an instrument that is not prepared or searched, a model without listed components,
        a component that is not listed, or a trial that failed for a reason that the user can
        mend.
    SystemExit
        With a line to print, for a trial that failed otherwise.
    """
    choice.placement.check()
    names = choice.instruments or tuple(params.instruments)
    # All are planned before the first is run: a mistake is reported at once, not in an hour.
    planned = {name: plan(project, params, name, choice) for name in names}
    title = "-".join(["ablation", *(name.replace(" ", "-") for name in choice.components)])
    for name, (dataset, placed) in planned.items():
        study = Study(project, name, "ablation", title, params.seed, dataset.path)
        rows = study.run(placed, choice.placement, console)
        table = project.results(FOLDER) / name / f"{title}.csv"
        page = _write(name, _note_rows(rows), table, project.root / "docs")
        yield f"{page}: {len(placed)} trials; rows in {table}"


def plan(
    project: Project, params: Params, name: str, choice: Choice
) -> tuple[Dataset, list[Placed]]:
    """List the trials of an instrument: each variant on each fold, for each seed.

    Parameters
    ----------
    project : Project
        Prepared and searched.
    params : Params
        Validated; its seed is the first.
    name : str
        Of the instrument.
    choice : Choice
        Components and seeds.

    Returns
    -------
    dataset : Dataset
        Without the test notes.
    placed : list of Placed
        Trials.
    """
    config, results = params.instrument(name), project.results(name)
    dataset = load_dataset(results, name, params).only(*PARTS)
    best = read_json(results / "best.json")
    compared = variants(best, config.train.epochs, choice.components)
    seeds = range(params.seed, params.seed + choice.seeds)
    return dataset, cross_validated(compared, dataset, config, seeds)


def _note_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each note, seed and variant."""
    return [
        {"variant": row.label, "seed": row.placed[0].trial.seed}
        | {k: x for k, x in note.items() if k not in ("condition", "model")}
        for row in rows
        for note in row.notes
    ]


def _write(name: str, rows: Sequence[dict[str, Any]], table: Path, docs: Path) -> Path:
    """Write table, text and picture, and a page of them in the documentation."""
    write_rows(rows, table)
    found = effects(rows)
    text, picture = table.with_suffix(".md"), table.with_suffix(".png")
    with replacing(text) as path:
        path.write_text(markdown(name, found), encoding="utf-8")
    save(forest_plot(found, f"{name}: what each component contributes"), picture)
    page = f"{name}-{table.stem}"
    return publish(text, {f"{page}.png": Picture(picture, SHOWS)}, docs / FOLDER / f"{page}.md")
