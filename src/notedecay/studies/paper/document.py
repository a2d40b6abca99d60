"""The page ``docs/paper.md``: the paper's experiments and statements, and our figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from notedecay.core.files import replacing
from notedecay.reports.images import shrink
from notedecay.reports.markdown import table
from notedecay.studies.paper.claims import claims
from notedecay.studies.paper.experiments import EXPERIMENTS
from notedecay.studies.paper.table import FEW, Row

PICTURES = {
    "figure-4-guitar-c5-seen.png": ("lstm-512", "seen", "C5", "guitar C5, a training note"),
    "figure-5-guitar-c5-unseen.png": ("lstm-unseen-c5", "unseen", "C5", "guitar C5, unseen"),
    "figure-6-cello.png": ("cello-512", "seen", "", "cello, a training note"),
    "figure-7-piano-a.png": (
        "piano-a-512",
        "seen",
        "",
        "piano reduced to its A notes, a training note",
    ),
}
"""Counterparts of the paper's figures 4 to 7: experiment, evaluation set, note, caption."""

HEAD = """# The paper's experiments, run again

Sander & Harder, "Learning the decay of a sound signal", 2016. This page is written by
`notedecay paper`; do not edit it.

**How to read it.** Each row is an experiment of the paper's log with its counterpart here. *Decay
ok* is the share of partials whose decay sounds like the true one to a listener (1 is best),
*missing* the share of partials that the continuation lacks, *attractor* the largest correlation
between the continuations of two primes, *one sound* the number of diagnosed trainings whose
continuations do not depend on the prime, *score* one figure for all. *Teacher-forced* is the
squared error of the next block after true blocks, in variances of the training notes. *Authors'
audio* are our figures of what the authors published of that experiment. *Seen / unseen*: training
notes, and notes of pitches that no training note has. ± is the standard deviation over the seeds.
The measures: [measures.md](measures.md).

**Differences to the paper** unless a row says otherwise: primes are 330 ms, counted from the
note's onset; rumble is filtered off (and always before the evaluation); channels are mixed;
resampling keeps the whole band; gates are logistic; short notes are not padded (in the paper,
silence that is easy to predict lowers the loss on the cello); the normalisation is undone by its
inverse; all notes of a chromatic run are used, not the first alone; notes that are mistuned or
damped by hand are left out, among them the mf take of C5 on the G string that the paper's figure 4
shows. Sizes, initialisation, optimiser, loss and number of epochs are the paper's. The CNN-LSTM has
the LSTM's sample rate, except in one row, not the full one; *activation* is that of its
convolutions. *reduced* means a quarter of the units and filters and 30 training notes (and every
C5), *quick* a third of the epochs as well, *full* the paper's own size.
"""

COLUMNS = (
    "experiment",
    "the paper says",
    "paper's loss",
    "authors' audio: decay ok, missing",
    "here",
    "loss",
    "teacher-forced",
    "decay ok",
    "missing",
    "attractor",
    "one sound",
    "score",
)

FURTHER = {
    "pitch_cents": ("cents", 1),
    "envelope_db": ("envelope dB", 1),
    "excess_noise_db": ("excess noise dB", 1),
    "lsd_db": ("lsd dB", 1),
    "tail_db": ("tail dB", 1),
    "join_snr_db": ("join dB", 1),
}
"""The other measures, in a second table."""

Measured = Mapping[int, tuple[float, float]]
"""Decay ok and missing of the authors' audio, means by the number of their experiment."""


def write(rows: Sequence[Row], published: Sequence[Mapping[str, Any]], docs: Path) -> None:
    """Write ``paper.md`` and the pictures in ``paper/``.

    Parameters
    ----------
    rows : sequence of Row
        Of the finished experiments.
    published : sequence of mapping
        Figures of the authors' own audio, a row for each file; may be empty.
    docs : Path
        The folder of documents.
    """
    audio = measured(published)
    parts = [HEAD, *_provenance(rows), "## Questions and answers\n", *_claims(rows)]
    if published:
        parts += ["## The authors' published audio, measured\n", _published(published)]
    for group, members in groupby(rows, key=lambda row: row.experiment.group):
        shown = list(members)
        parts += [f"## {group}\n", table(COLUMNS, (cells(row, audio) for row in shown))]
        parts += [
            table(["seen / unseen", *(name for name, _ in FURTHER.values())], map(_further, shown))
        ]
    parts += _warnings(rows)
    parts += _pictures(rows, docs / "paper")
    done = {row.experiment.name for row in rows}
    if missing := [f"`{e.name}`" for e in EXPERIMENTS if e.name not in done]:
        parts += [f"## Not run yet\n\n{', '.join(missing)}"]
    with replacing(docs / "paper.md") as path:
        path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def measured(published: Sequence[Mapping[str, Any]]) -> Measured:
    """Figures of the authors' audio, by experiment."""
    numbers = {row["experiment"] for row in published}
    return {
        number: (_mean(published, number, "decay_ok"), _mean(published, number, "missing"))
        for number in numbers
    }


def _mean(published: Sequence[Mapping[str, Any]], number: int, measure: str) -> float:
    values = [row[measure] for row in published if row["experiment"] == number]
    return statistics.fmean(values)


def cells(row: Row, audio: Measured) -> list[str]:
    """A row of the table, as texts."""
    errors = [row.teacher_forced(split) for split in ("seen", "unseen")]
    known = errors[0].mean == errors[0].mean
    return [
        f"{row.experiment.title} (`{row.experiment.name}`)",
        row.experiment.statement,
        row.experiment.loss,
        _authors_audio(row, audio),
        row.size,
        row.loss.text(3) if row.experiment.model != "vrnn" else "-",
        " / ".join(e.text(3) for e in errors) if known else "-",
        f"{_pair(row, 'decay_ok', 2)}{_few(row)}",
        _pair(row, "missing", 2),
        _pair(row, "attractor", 2),
        row.one_sound,
        _pair(row, "score", 3),
    ]


def _pair(row: Row, measure: str, digits: int) -> str:
    seen, unseen = (row.measure(s, measure).text(digits) for s in ("seen", "unseen"))
    return f"{seen} / {unseen}"


def _few(row: Row) -> str:
    """Number of unseen notes with evaluated partials, where it is small."""
    notes = row.measure("unseen", "notes_judged").mean
    return f" ({notes:.0f} notes)" if notes < FEW else ""


def _further(row: Row) -> list[str]:
    title = f"`{row.experiment.name}` {row.scale.name if row.learns else ''}"
    return [title, *(_pair(row, measure, digits) for measure, (_, digits) in FURTHER.items())]


def _authors_audio(row: Row, audio: Measured) -> str:
    known = [audio[number] for number in row.experiment.published if number in audio]
    return ", ".join(f"{decay_ok:.2f}, {missing:.2f}" for decay_ok, missing in known)


def _provenance(rows: Sequence[Row]) -> list[str]:
    """A line on notes, machines and time."""
    sources = sorted({result["notes"] for row in rows for result in row.results})
    devices = sorted({f"{x['device']} ({x['machine']})" for r in rows for x in r.results})
    hours = sum(x["seconds"] for r in rows for x in r.results) / 3600
    codes = {x["code"] for row in rows for x in row.results}
    mixed = " Made by several versions of the code: small differences may be due to that."
    return [
        f"**Notes**: {'; '.join(sources)}. **Computed on**: {'; '.join(devices)}, "
        f"{hours:.1f} process hours in all.{mixed if len(codes) > 1 else ''}\n"
    ]


def _claims(rows: Sequence[Row]) -> list[str]:
    return [f"- **{claim.question}** {claim.answer}" for claim in claims(rows)] + [""]


def _published(published: Sequence[Mapping[str, Any]]) -> str:
    columns = ("experiment", "note", "seen", "prime_ms", "decay_ok", "missing", "pitch_cents",
               "envelope_db", "excess_noise_db", "lsd_db")  # fmt: skip
    return table(columns, ([_cell(row[name]) for name in columns] for row in published))


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "-" if value != value else f"{value:.2f}"
    return str(value)


def _warnings(rows: Sequence[Row]) -> list[str]:
    """Warnings of the diagnosis of the trainings."""
    lines = [
        f"- `{row.experiment.name}` ({row.scale.name}): {line}"
        for row in rows
        for line in row.warnings
    ]
    return ["## Warnings of the diagnosis while training\n", *lines, ""] if lines else []


def _pictures(rows: Sequence[Row], folder: Path) -> list[str]:
    """Spectrograms and decay curves, as in the paper's figures."""
    parts = ["## Pictures as in the paper\n"]
    for name, (experiment, split, note, caption) in PICTURES.items():
        row = next((row for row in rows if row.experiment.name == experiment), None)
        found = picture(row, split, note) if row else None
        heading = f"{caption}: `{experiment}`"
        if found is None:
            if (folder / name).exists():
                parts += [f"**{heading}**\n", f"![{caption}](paper/{name})\n"]
            continue
        shrink(found, folder / name)
        parts += [f"**{heading}**\n", f"![{caption}](paper/{name})\n"]
    return parts if len(parts) > 1 else []


def picture(row: Row, split: str, note: str) -> Path | None:
    """The picture of a row's first note whose name ends so."""
    found = sorted((row.listen / split).glob(f"*{note}/picture.png"))
    return found[0] if found else None
