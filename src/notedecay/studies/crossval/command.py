"""What ``notedecay evaluate`` does, from the seal to the table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.digests import digest
from notedecay.core.files import replacing
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.dataset import SPLIT, load_dataset
from notedecay.experiments.execute import code
from notedecay.reports.publishing import Picture, publish
from notedecay.studies.crossval.access_log import open_once
from notedecay.studies.crossval.doing import do
from notedecay.studies.crossval.pictures import draw
from notedecay.studies.crossval.plan import Trial, competitors, trials
from notedecay.studies.crossval.results import Verdict, verdicts
from notedecay.studies.crossval.tables import markdown
from notedecay.training import choose_device

FOLDER = "evaluation"
_NOTE = (
    "original, with prime and without as spectrograms; below, how the whole sound and its "
    "strongest partials die away, the original solid and the generated dashed."
)
PUBLISHED = {
    "decay": "Decay time of every partial of the unseen notes, generated over true: within the "
    "grey band a listener could not tell them apart.",
    "by_pitch": "Decay ok of every unseen note, from low to high.",
    "by_number": "How many times too long or too short partials ring, from the fundamental up: "
    "median and quartiles over notes; numbers of which one partial alone was judged are left out.",
    "by_prime": "Decay ok by how much of the note is heard: mean and its standard error over "
    "notes.",
    "best": f"The best of the unseen notes by score: {_NOTE}",
    "median": f"The one in the middle: {_NOTE}",
    "worst": f"The worst: {_NOTE}",
}
"""Pictures that stand below the committed table, and what they show."""


@dataclass(frozen=True)
class Choice:
    """What the user asked for.

    Attributes
    ----------
    instruments : tuple of str
        All of ``params.yaml`` if empty.
    why : str or None
        Reason to open the notes for other competitors than before.
    processes : int
        Trainings at once.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    instruments: tuple[str, ...]
    why: str | None
    processes: int
    device: str


def run_evaluation(
    project: Project, params: Params, choice: Choice, console: Console
) -> Iterator[str]:
    """Judge every note as an unseen one, and write tables and pictures.

    Yields
    ------
    str
        What was written, in lines.

    Raises
    ------
    UserError
        For an instrument that is not prepared or searched, notes that were opened for other
        competitors, or a job that failed for a reason that the user can mend.
    SystemExit
        With a line to print, for a job that failed otherwise.
    """
    choose_device(choice.device)
    names = choice.instruments or tuple(params.instruments)
    for name in names:
        params.instrument(name)
    for name in names:
        folder = project.results(FOLDER) / name
        planned, looks = _plan(project, params, name, folder, choice.why)
        do(planned, processes=choice.processes, device=choice.device, console=console)
        found = verdicts(planned)
        _write(name, found, looks, folder)
        page = _publish(name, folder, project.root / "docs" / FOLDER)
        yield f"{page}: {len(planned)} jobs; pictures and rows in {folder}"


def _plan(
    project: Project, params: Params, name: str, folder: Path, why: str | None
) -> tuple[list[Trial], int]:
    config = params.instrument(name)
    results = project.results(name)
    material = load_dataset(results, name, params)
    best = read_json(results / "best.json")
    entered = competitors(best, config.train.epochs, config)
    settings = {one.label: dict(one.settings) for one in entered}
    ledger = project.root / "docs" / FOLDER / f"{name}-opened.json"
    looks = open_once(ledger, settings, code(), digest(results / SPLIT), why)
    planned = trials(
        entered, material.clips, material.path, material.signal, params.seed, folder / "jobs"
    )
    return planned, looks


def _write(name: str, found: Sequence[Verdict], looks: int, folder: Path) -> None:
    write_rows([note for v in found for note in v.notes], folder / "notes.csv")
    write_rows([partial for v in found for partial in v.partials], folder / "partials.csv")
    table: dict[str, dict[str, Any]] = {}
    for v in found:
        means = {k: None if math.isnan(x) else round(x, 4) for k, x in v.means().items()}
        table.setdefault(v.condition, {})[v.label] = means
    write_json(table, folder / "metrics.json")
    with replacing(folder / "table.md") as path:
        path.write_text(markdown(name, found, looks), encoding="utf-8")
    draw(name, found, folder / "pictures")


def _publish(name: str, folder: Path, docs: Path) -> Path:
    """Copy the table, with its most telling pictures, to where it is committed."""
    pictures = {
        f"{name}-{one}.png": Picture(folder / "pictures" / f"{one}.png", shows)
        for one, shows in PUBLISHED.items()
    }
    return publish(folder / "table.md", pictures, docs / f"{name}.md")
