"""The tables of a cross-validation, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from notedecay.data.folds import OUTSIDE
from notedecay.reports.markdown import table
from notedecay.studies.crossval.plan import OUTSIDE_RANGE, UNSEEN_PITCHES
from notedecay.studies.study import Row

COLUMNS = {
    "decay_ok": ("decay ok", 2),
    "missing": ("missing", 2),
    "pitch_cents": ("cents", 1),
    "envelope_db": ("envelope dB", 1),
    "excess_noise_db": ("excess noise dB", 1),
    "join_snr_db": ("join dB", 1),
    "lsd_db": ("lsd dB", 1),
    "tail_db": ("tail dB", 1),
    "score": ("score", 3),
}


def markdown(instrument: str, rows: Sequence[Row], opened: int) -> str:
    """The tables of an instrument.

    Parameters
    ----------
    instrument : str
        Its name.
    rows : sequence of Row
        Of all conditions.
    opened : int
        How many sets of systems have been evaluated on these notes.
    """
    unseen = [row for row in rows if row.condition == UNSEEN_PITCHES]
    further = [row for row in rows if row.condition != UNSEEN_PITCHES]
    notes = max((len(row.notes) for row in unseen), default=0)
    parts = [
        f"## {instrument}\n",
        f"{notes} notes, cross-validated by pitch: each was unseen once. Trained as "
        "the champion is: on most of the other pitches, with the epoch that continues the rest of "
        "them best. Mean over notes, ± standard deviation over notes. Sets of systems evaluated on "
        f"these notes so far: {opened}.\n",
        table(
            ["model", *(name for name, _ in COLUMNS.values())],
            [[row.label, *cells(row)] for row in unseen],
        ),
    ]
    if further:
        first = [row for row in unseen if row.label == further[0].label]
        parts += [
            f"The same for {further[0].label} under other conditions; {OUTSIDE_RANGE}: trained on "
            f"the middle of the pitches, evaluated on the lowest and highest {OUTSIDE:.0%}:\n",
            table(
                ["condition", *(name for name, _ in COLUMNS.values())],
                [[row.condition, *cells(row)] for row in [*first, *further]],
            ),
        ]
    takes = _by_take(unseen[0]) if unseen else []
    if len(takes) > 1:
        body = [[take, str(count), f"{value:.2f}"] for take, count, value in takes]
        parts += [
            f"Decay ok of {unseen[0].label} by take (a series of recordings: a string, a "
            "loudness or a room):\n",
            table(["take", "notes", "decay ok"], body),
        ]
    return "\n".join(parts)


def cells(row: Row) -> list[str]:
    """Means of a row, with standard deviations, as texts in the order of :data:`COLUMNS`."""
    means = row.means()
    return [_cell(means, measure, digits) for measure, (_, digits) in COLUMNS.items()]


def _cell(means: dict[str, float], measure: str, digits: int) -> str:
    mean, sd = means[measure], means.get(f"{measure}_sd")
    if mean != mean:
        return "-"
    return f"{mean:.{digits}f}" + ("" if sd is None or sd != sd else f" ± {sd:.{digits}f}")


def _by_take(row: Row) -> list[tuple[str, int, float]]:
    """Decay ok of each take: number of notes and mean."""
    takes: dict[str, list[float]] = {}
    for note in row.notes:
        if note["decay_ok"] is not None:
            takes.setdefault(note["note"].split("/")[1], []).append(note["decay_ok"])
    return [(take, len(v), statistics.fmean(v)) for take, v in sorted(takes.items())]
