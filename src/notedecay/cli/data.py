"""Commands on recordings: fetch, add, notes, pin, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notedecay.cli.output import progress, result, resumable, say, tables


def fetch(
    source: Annotated[
        list[str] | None,
        typer.Option(help="piano, guitar, flute, iowa, or a folder of your own."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="What a folder of your own holds, such as 'banjo'.")
    ] = None,
) -> None:
    """Bring recordings into data/ and check them against data.dvc."""
    from notedecay.core.project import find_project
    from notedecay.pipeline import recordings

    project = find_project()
    with resumable():
        if source is None:
            recordings.fetch_pinned(project, say)
        else:
            recordings.fetch(project, source, instrument, say)


def add(
    instrument: Annotated[str, typer.Argument(help="Its name, such as 'banjo'.")],
) -> None:
    """Add an instrument to params.yaml, with the defaults."""
    from notedecay.core.project import find_project
    from notedecay.pipeline.instruments import add_instrument

    say(add_instrument(find_project(), instrument))


def notes(
    instrument: Annotated[str | None, typer.Argument(help="As in data/; all by default.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw pitches, tuning and decay into this PNG.")
    ] = None,
) -> None:
    """List every note: its tuning, its decay, and why some are set aside."""
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.reports.catalogue import show_notes

    project = find_project()
    params = load_params(project.params)
    show_notes(project, params, instrument, picture, tables(), progress())
    if picture is not None:
        result(str(picture))


def pin() -> None:
    """Accept data/ as it is: write data.dvc and data.md5."""
    from notedecay.core.project import find_project
    from notedecay.pipeline import recordings

    recordings.pin(find_project(), say)


def verify(
    instrument: Annotated[str | None, typer.Argument(help="As in data/; all by default.")] = None,
) -> None:
    """Check data/ against data.dvc, byte for byte."""
    from notedecay.core.project import find_project
    from notedecay.data.sources import lock

    count = lock.verify(find_project().root, instrument)
    say(f"{count} files are what data.dvc pins")
