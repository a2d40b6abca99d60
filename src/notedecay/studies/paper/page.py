"""The HTML page with audio and pictures of every experiment, and the authors' own audio."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from notedecay.audio import to_full_scale
from notedecay.audio import write as write_audio
from notedecay.core.files import replacing, replacing_folder
from notedecay.studies.paper.claims import claims
from notedecay.studies.paper.document import COLUMNS, Measured, cells
from notedecay.studies.paper.published import Published, table_rows
from notedecay.studies.paper.table import Row

PAGE = "index.html"


def write(
    rows: Sequence[Row],
    published: Sequence[Published],
    measured: Measured,
    folder: Path,
) -> Path:
    """Write ``index.html``, which refers to the audio and pictures of the results.

    Parameters
    ----------
    rows : sequence of Row
        Of the finished experiments.
    published : sequence of Published
        The authors' own audio, copied beside the page; may be empty.
    measured : mapping
        Its figures, by experiment.
    folder : Path
        Of the paper's results.

    Returns
    -------
    Path
        The page.
    """
    templates = Environment(
        loader=PackageLoader("notedecay.studies.paper", "."),
        autoescape=select_autoescape(["html", "j2"]),
    )
    text = templates.get_template("page.html.j2").render(
        columns=COLUMNS,
        claims=claims(rows),
        groups=[
            {"name": name, "rows": [_shown(row, measured, folder) for row in members]}
            for name, members in groupby(rows, key=lambda row: row.experiment.group)
        ],
        published=_published(published, folder),
    )
    with replacing(folder / PAGE) as path:
        path.write_text(text, encoding="utf-8")
    return folder / PAGE


def _shown(row: Row, measured: Measured, folder: Path) -> dict[str, Any]:
    return {
        "name": row.experiment.name,
        "title": row.experiment.title,
        "size": row.size,
        "cells": cells(row, measured),
        "warnings": row.warnings,
        "notes": list(_notes(row, folder)),
        "maps": [_relative(path, folder) for path in _maps(row)],
    }


def _notes(row: Row, folder: Path) -> Iterator[dict[str, str]]:
    """Folders with audio of notes, relative to the page."""
    for split in ("seen", "unseen"):
        for note in sorted((row.listen / split).glob("*/")):
            yield {"split": split, "name": note.name, "folder": _relative(note, folder)}


def _maps(row: Row) -> list[Path]:
    """Heat maps of the first seed's training."""
    shown = (row.diagnosis / f"{name}.png" for name in ("gradient", "gradient_over_time", "reach"))
    return [path for path in shown if path.exists()]


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _published(published: Sequence[Published], folder: Path) -> list[Mapping[str, Any]]:
    """Copy the audio, at its own rate; return what the page shows of each file."""
    if not published:
        return []
    shown: list[Mapping[str, Any]] = []
    with replacing_folder(folder / "published") as fresh:
        for one, row in zip(published, table_rows(published), strict=True):
            name = f"{one.number}-{one.note}"
            original, generated = to_full_scale(one.original, one.generated)
            write_audio(fresh / f"{name}.wav", original, one.rate)
            write_audio(fresh / f"{name}_gen.wav", generated, one.rate)
            shown.append(
                {
                    "number": one.number,
                    "note": one.note,
                    "seen": one.seen,
                    "prime_ms": row["prime_ms"],
                    "decay_ok": f"{one.scores.decay_ok:.2f}",
                    "missing": f"{one.scores.missing:.2f}",
                    "original": f"published/{name}.wav",
                    "generated": f"published/{name}_gen.wav",
                }
            )
    return shown
