"""The report of ``notedecay notes``: the catalogue as a table and a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notedecay.core.config import Params
from notedecay.core.errors import UserError, nearest
from notedecay.core.project import Project
from notedecay.data import catalogue
from notedecay.data.note import Note
from notedecay.data.set_aside import wrong_octaves
from notedecay.experiments.progress import counting


def show_notes(
    project: Project,
    params: Params,
    instrument: str | None,
    picture: Path | None,
    console: Console,
    progress: Console,
) -> None:
    """Print a row per note, and draw an overview if asked.

    Parameters
    ----------
    project : Project
        Holds the recordings.
    params : Params
        Holds the high-pass filter of each instrument.
    instrument : str or None
        Its name; all instruments in the data folder by default.
    picture : Path or None
        PNG to write.
    console : Console
        Where to print the table.
    progress : Console
        Where to draw progress.

    Raises
    ------
    UserError
        For an instrument without recordings.
    """
    if not project.data.is_dir():
        raise UserError(f"{project.data} is not there: run 'notedecay fetch' first")
    known = sorted(p.name for p in project.data.iterdir() if p.is_dir())
    if instrument and instrument not in known:
        raise UserError(f"data/ has no instrument '{instrument}'{nearest(instrument, known)}")
    shown = [instrument] if instrument else known
    notes = [note for name in shown for note in _notes(project, params, name, progress)]
    console.print(_table(notes))
    for source, licence in sorted({(note.source, note.licence) for note in notes}):
        console.print(f"from {source}: {licence}", style="dim", markup=False)
    if picture is not None:
        from notedecay.plots.overview import overview  # matplotlib takes a second to import

        overview(notes, picture)
    for line in wrong_octaves(notes):
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print(_counts(notes))


def _notes(project: Project, params: Params, instrument: str, console: Console) -> list[Note]:
    """Notes of the pipeline's catalogue if it is that of the files, else measured again."""
    written = project.results(instrument) / "catalogue.json"
    files = catalogue.recordings(project.data, instrument)
    if written.exists():
        notes = catalogue.read(written)
        if catalogue.is_of(notes, project.data, files):
            return notes
    config = params.instruments.get(instrument, params.defaults)
    highpass = config.prepare.highpass_hz
    with counting(instrument, console) as progress:
        return catalogue.build(project.data, instrument, highpass_hz=highpass, progress=progress)


def _counts(notes: Sequence[Note]) -> str:
    """``8 notes of 4 pitches (2 takes each), 1 set aside``; without pitches where each has one."""
    takes = Counter((note.instrument, note.pitch) for note in notes if note.pitch_name != "?")
    few, many = min(takes.values(), default=0), max(takes.values(), default=0)
    of = f"{few} takes each" if few == many else f"{few} to {many} takes each"
    pitches = "1 pitch" if len(takes) == 1 else f"{len(takes)} pitches"
    shown = f" of {pitches} ({of})" if many > 1 else ""
    return f"{len(notes)} notes{shown}, {sum(bool(n.flags) for n in notes)} set aside"


def _table(notes: list[Note]) -> Table:
    table = Table()
    table.add_column("note", no_wrap=True)
    for heading in ("s", "Hz", "cents", "t40 s", "t60 s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("set aside because, or warning")
    for n in notes:
        figures = [(n.seconds, 1), (n.f0_hz, 1), (n.cents, 0), (n.t40, 1), (n.t60, 1)]
        cells = ["-" if value is None else f"{value:.{digits}f}" for value, digits in figures]
        remarks = Text("; ".join([*n.flags, *(f"warning: {line}" for line in n.warnings)]))
        style = "red" if n.flags else "yellow" if n.warnings else ""
        table.add_row(Text(n.id), *cells, remarks, style=style)
    return table
