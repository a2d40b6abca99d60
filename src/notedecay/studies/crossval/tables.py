"""The table that stands in the end, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from notedecay.studies.crossval.folds import OUTSIDE as SHARE
from notedecay.studies.crossval.plan import OUTSIDE, UNSEEN
from notedecay.studies.crossval.results import Verdict
from notedecay.studies.paper.document import table

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


def markdown(instrument: str, verdicts: Sequence[Verdict], looks: int) -> str:
    """The tables of an instrument.

    Parameters
    ----------
    instrument : str
        Its name.
    verdicts : sequence of Verdict
        Of all conditions.
    looks : int
        How many sets of competitors were judged on these notes.
    """
    unseen = [v for v in verdicts if v.condition == UNSEEN]
    further = [v for v in verdicts if v.condition != UNSEEN]
    notes = max((len(v.notes) for v in unseen), default=0)
    parts = [
        f"## {instrument}\n",
        f"{notes} notes, cross-validated by pitch: each was unseen once. Mean over notes, ± "
        f"standard deviation over notes. Competitors judged on these notes so far: {looks} "
        f"{'set' if looks == 1 else 'sets'}.\n",
        table(
            ["continuator", *(name for name, _ in COLUMNS.values())],
            [_row(v, v.label) for v in unseen],
        ),
    ]
    if further:
        first = [v for v in unseen if v.label == further[0].label]
        parts += [
            f"The same for {further[0].label} under other conditions; {OUTSIDE}: trained on the "
            f"middle of the pitches, judged on the lowest and highest {SHARE:.0%} of them:\n",
            table(
                ["condition", *(name for name, _ in COLUMNS.values())],
                [_row(v, v.condition) for v in [*first, *further]],
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


def _row(verdict: Verdict, name: str) -> list[str]:
    means = verdict.means()
    return [name, *(_cell(means, measure, digits) for measure, (_, digits) in COLUMNS.items())]


def _cell(means: dict[str, float], measure: str, digits: int) -> str:
    mean, sd = means[measure], means.get(f"{measure}_sd")
    if mean != mean:
        return "-"
    return f"{mean:.{digits}f}" + ("" if sd is None or sd != sd else f" ± {sd:.{digits}f}")


def _by_take(verdict: Verdict) -> list[tuple[str, int, float]]:
    """Loud and soft takes, strings: decay ok of each."""
    takes: dict[str, list[float]] = {}
    for note in verdict.notes:
        if note["decay_ok"] is not None:
            takes.setdefault(note["note"].split("/")[1], []).append(note["decay_ok"])
    return [(take, len(v), statistics.fmean(v)) for take, v in sorted(takes.items())]
