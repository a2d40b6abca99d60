"""The command ``notedecay pool``: one model for several instruments, or one for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.files import replacing
from notedecay.core.project import Project
from notedecay.core.tables import read_json
from notedecay.data.clips import write_clips
from notedecay.experiments.runners.placement import Placement
from notedecay.metrics.bootstrap import bootstrap
from notedecay.models import Signal
from notedecay.reports.markdown import table
from notedecay.studies.ablation.effects import difference
from notedecay.studies.crossval.tables import COLUMNS, cells
from notedecay.studies.pooling.plan import OWN, common_signal, prepare, trials
from notedecay.studies.study import Row, Study

COMPARED = ("decay_ok", "score")
"""Measures that are compared with those of the instrument's own model, note by note."""


def run_pooling(
    project: Project,
    params: Params,
    names: Sequence[str],
    console: Console,
    placement: Placement,
) -> Iterator[str]:
    """Train and evaluate models of each instrument, of all together, and of the others.

    Model and settings are the best of the first instrument's search. Yields what was written, in
    lines.

    Raises
    ------
    UserError
        For instruments that cannot be pooled, or a trial that failed for a reason that the user
        can mend.
    SystemExit
        With a line to print, for a trial that failed otherwise.
    """
    placement.check()
    signal = common_signal(names, params)
    best = read_json(project.results(names[0]) / "best.json")
    path = project.results("pooling") / f"{signal.instrument}.npz"
    with console.status("cutting the notes"):
        clips = {name: prepare(project, params, name, signal) for name in names}
        write_clips([clip for notes in clips.values() for clip in notes], path)
    placed = list(trials(best, signal, clips, path, params))
    study = Study(project, signal.instrument, "pooling", "pooling", params.seed, path)
    rows = study.run(placed, placement, console)
    page = project.root / "docs" / "evaluation" / "pooling.md"
    with replacing(page) as partial:
        partial.write_text(markdown(rows, signal, best["model"]), encoding="utf-8")
    yield f"{page}: {len(placed)} trials"


def markdown(rows: Sequence[Row], signal: Signal, model: str) -> str:
    """The page: a row for each instrument and choice of training notes."""
    own = {row.condition: row for row in rows if row.label == OWN}
    names = [COLUMNS[measure][0] for measure in COMPARED]
    head = ["instrument", "trained on", *(name for name, _ in COLUMNS.values())]
    body = [[r.condition, r.label, *cells(r), *_over(r, own[r.condition])] for r in rows]
    return (
        f"## One {model} model for several instruments, or one for each\n\n"
        "Train and validation notes, cross-validated by pitch; the test notes are not used. All "
        f"clips have {signal.rate} Hz, primes of {signal.prime_seconds:g} s and a high-pass filter "
        f"at {signal.highpass_hz:g} Hz. *own*: trained on the instrument's other pitches; "
        "*pooled*: on these and all notes of the other instruments; *others only*: on those alone. "
        "Mean over notes, ± standard deviation over notes. *over own*: difference to the own "
        "model over the same notes, with its 95 % interval; bold where that holds no 0.\n\n"
        + table([*head, *(f"{name} over own" for name in names)], body)
    )


def _over(row: Row, own: Row) -> list[str]:
    return ["" if row is own else _difference(row, own, measure) for measure in COMPARED]


def _difference(row: Row, own: Row, measure: str) -> str:
    known = {note["note"]: note[measure] for note in own.notes}
    pairs = [(note[measure], known[note["note"]]) for note in row.notes]
    values = [mine - its for mine, its in pairs if mine is not None and its is not None]
    return difference(bootstrap(values), COLUMNS[measure][1])
