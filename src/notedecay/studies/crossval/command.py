"""The command ``notedecay evaluate``: the final table, cross-validated by pitch."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.digests import digest
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.dataset import SPLIT, load_dataset
from notedecay.experiments.fingerprint import training_code
from notedecay.experiments.runners.placement import Placement
from notedecay.reports.publishing import Picture, publish
from notedecay.studies.crossval.access_log import open_once
from notedecay.studies.crossval.pictures import draw
from notedecay.studies.crossval.plan import System, systems, trials
from notedecay.studies.crossval.tables import markdown
from notedecay.studies.study import Row, Study

FOLDER = "evaluation"
_NOTE = (
    "original, continuation with its prime, and without, as spectrograms; below, the levels of the "
    "whole sound and of its strongest partials, the original solid and the generated dashed."
)
PUBLISHED = {
    "decay": "Decay time of every partial of the unseen notes, generated against true: within "
    "the grey band a listener hears no difference.",
    "by_pitch": "Decay ok of every unseen note, from low to high.",
    "by_number": "Ratio of generated to true decay time by the number of the partial: median and "
    "quartiles over notes; numbers with one evaluated partial are left out.",
    "by_prime": "Decay ok by the length of the prime: mean and its standard error over notes.",
    "best": f"The best of the unseen notes by score: {_NOTE}",
    "median": f"The one in the middle: {_NOTE}",
    "worst": f"The worst: {_NOTE}",
}
"""Pictures below the committed table, with their captions."""


@dataclass(frozen=True)
class Choice:
    """Options of the command.

    Attributes
    ----------
    instruments : tuple of str
        All of ``params.yaml`` if empty.
    why : str or None
        Reason to use the test notes again for other systems than before.
    placement : Placement
        Where the trials run.
    """

    instruments: tuple[str, ...]
    why: str | None
    placement: Placement


def run_evaluation(
    project: Project, params: Params, choice: Choice, console: Console
) -> Iterator[str]:
    """Cross-validate every system by pitch, and write tables and pictures.

    Yields
    ------
    str
        The files that were written, in lines.

    Raises
    ------
    UserError
        For an instrument that is not prepared or searched, notes that were used for other
        systems, or a trial that failed for a reason that the user can mend.
    SystemExit
        With a line to print, for a trial that failed otherwise.
    """
    choice.placement.check()
    names = choice.instruments or tuple(params.instruments)
    for name in names:
        params.instrument(name)
    for name in names:
        folder = project.results(FOLDER) / name
        dataset = load_dataset(project.results(name), name, params)
        best = read_json(project.results(name) / "best.json")
        compared = systems(best, params.instrument(name))
        opened = _open(project, name, compared, choice.why)
        placed = trials(compared, dataset, params.instrument(name), params.seed)
        study = Study(project, name, "crossval", "cross-validation", params.seed, dataset.path)
        rows = study.run(placed, choice.placement, console)
        _write(name, rows, opened, folder, study)
        page = _publish(name, folder, project.root / "docs" / FOLDER)
        _record(project, name)
        yield f"{page}: {len(placed)} trials; pictures and rows in {folder}"


def _open(project: Project, name: str, compared: Sequence[System], why: str | None) -> int:
    """Record in the access log that these systems are evaluated on the test notes."""
    log = project.root / "docs" / FOLDER / f"{name}-opened.json"
    settings = {one.label: dict(one.settings) for one in compared}
    code = "-".join(sorted({training_code(one.model) for one in compared}))
    return open_once(log, settings, code, digest(project.results(name) / SPLIT), why)


def _write(name: str, rows: Sequence[Row], opened: int, folder: Path, study: Study) -> None:
    write_rows([note for row in rows for note in row.notes], folder / "notes.csv")
    write_rows([partial for row in rows for partial in row.partials], folder / "partials.csv")
    table: dict[str, dict[str, Any]] = {}
    for row in rows:
        means = {k: None if math.isnan(x) else round(x, 4) for k, x in row.means().items()}
        table.setdefault(row.condition, {})[row.label] = means
    write_json(table, folder / "table.json")
    with replacing(folder / "table.md") as path:
        path.write_text(markdown(name, rows, opened), encoding="utf-8")
    draw(name, rows, study.store, folder / "pictures")


def _publish(name: str, folder: Path, docs: Path) -> Path:
    """Copy the table and its most useful pictures to where they are committed."""
    pictures = {
        f"{name}-{one}.png": Picture(folder / "pictures" / f"{one}.png", shows)
        for one, shows in PUBLISHED.items()
    }
    with replacing(docs / f"{name}.json") as path:
        shutil.copyfile(folder / "table.json", path)
    return publish(folder / "table.md", pictures, docs / f"{name}.md")


def _record(project: Project, name: str) -> None:
    """Record the inputs of the table in ``dvc.lock``; the stage is frozen in ``dvc.yaml``.

    Where DVC itself runs this command, it records the stage itself.
    """
    if "DVC_ROOT" in os.environ or not (project.root / ".dvc").is_dir():
        return
    command = [sys.executable, "-m", "dvc", "commit", "--force", "--quiet", f"evaluate@{name}"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise UserError(f"the table is written, but dvc.lock is not: {why}")
