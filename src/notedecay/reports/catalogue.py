"""The catalogue as a table and a picture."""

from __future__ import annotations

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
from notedecay.plots.overview import overview


def show_notes(
    project: Project, params: Params, instrument: str | None, picture: Path, console: Console
) -> None:
    """Print a row per note and draw the overview.

    Parameters
    ----------
    project : Project
        Where the recordings lie.
    params : Params
        Says how each instrument is high-passed.
    instrument : str or None
        Which one; all in the data folder by default.
    picture : Path
        PNG to write.
    console : Console
        Where to print.

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
    notes = [note for name in shown for note in _notes(project, params, name, console)]
    console.print(_table(notes))
    for source, licence in sorted({(note.source, note.licence) for note in notes}):
        console.print(f"from {source}: {licence}", style="dim", markup=False)
    overview(notes, picture)
    for line in wrong_octaves(notes):
        console.print(line, style="red", markup=False, soft_wrap=True)
    aside = sum(bool(n.flags) for n in notes)
    said = f"{len(notes)} notes, {aside} set aside; see {picture}"
    console.print(said, markup=False, soft_wrap=True)


def _notes(project: Project, params: Params, instrument: str, console: Console) -> list[Note]:
    """From the pipeline's catalogue where it is of these very files, else measured anew."""
    written = project.results(instrument) / "catalogue.json"
    files = catalogue.recordings(project.data, instrument)
    if written.exists() and written.stat().st_mtime > max(f.stat().st_mtime for f in files):
        notes = catalogue.read(written)
        # A file that was deleted, renamed or moved here leaves no newer date behind.
        if {n.file for n in notes} == {f.relative_to(project.data).as_posix() for f in files}:
            return notes
    config = params.instruments.get(instrument)
    highpass = config.prepare.highpass_hz if config else 25.0
    with counting(instrument, console) as progress:
        return catalogue.build(project.data, instrument, highpass_hz=highpass, progress=progress)


def _table(notes: list[Note]) -> Table:
    table = Table()
    table.add_column("note", no_wrap=True)
    for heading in ("s", "Hz", "cents", "t40 s", "t60 s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("set aside because, or warning")
    for n in notes:
        figures = [(n.seconds, 1), (n.f0_hz, 1), (n.cents, 0), (n.t40, 1), (n.t60, 1)]
        cells = ["-" if value is None else f"{value:.{digits}f}" for value, digits in figures]
        said = Text("; ".join([*n.flags, *(f"warning: {line}" for line in n.warnings)]))
        style = "red" if n.flags else "yellow" if n.warnings else ""
        table.add_row(Text(n.id), *cells, said, style=style)
    return table
