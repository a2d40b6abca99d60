"""Pictures of errors by partial, pitch and length of the prime; best, median and worst note."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from notedecay.core.files import replacing_folder
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import CONTINUATIONS, UNSEEN
from notedecay.plots import (
    PitchPoint,
    comparison_bars,
    decay_over_prime,
    decay_scatter,
    error_over_partials,
    save,
    scores_by_pitch,
    triple,
)
from notedecay.studies.crossval.plan import OUTSIDE_RANGE, UNSEEN_PITCHES
from notedecay.studies.study import Row

PLAIN_NUMBERS = 12
"""Highest number: above it, inharmonicity may shift a partial nearer to the next number."""

BY_RANK = "partial, 1 is the strongest after the prime"
BY_NUMBER = f"number of the partial, 1 is the fundamental (up to {PLAIN_NUMBERS})"


def draw(instrument: str, rows: Sequence[Row], store: TrialStore, folder: Path) -> None:
    """Write every picture of an evaluation.

    Parameters
    ----------
    instrument : str
        For the titles.
    rows : sequence of Row
        Unseen pitches first, and there the system with further conditions.
    store : TrialStore
        Holds the continuations.
    folder : Path
        Gets ``comparison.png``, ``by_pitch.png``, ``decay.png``, ``by_rank.png``,
        ``by_number.png``, ``by_prime.png``, ``best.png``, ``median.png`` and ``worst.png``,
        replaced as a whole.
    """
    unseen = [row for row in rows if row.condition == UNSEEN_PITCHES]
    first = unseen[0]
    shown = [row for row in unseen if row.label in (first.label, "esprit")]
    with replacing_folder(folder) as fresh:
        bars = {row.label: row.scores for row in unseen}
        title = f"{instrument}: unseen notes"
        save(comparison_bars(bars, title=title), fresh / "comparison.png")
        points = {row.label: _points(row) for row in shown}
        save(scores_by_pitch(points, "decay_ok", title), fresh / "by_pitch.png")
        save(_scatter(instrument, shown), fresh / "decay.png")
        ranks = {
            row.label: ratios(row.partials, lambda partial: int(partial["rank"])) for row in shown
        }
        save(error_over_partials(ranks, BY_RANK, title), fresh / "by_rank.png")
        numbers = {row.label: ratios(row.partials, harmonic) for row in shown}
        save(error_over_partials(numbers, BY_NUMBER, title), fresh / "by_number.png")
        primes = [
            row for row in rows if row.label == first.label and row.condition != OUTSIDE_RANGE
        ]
        title = f"{instrument}, {first.label}: unseen notes"
        save(
            decay_over_prime({_prime(row): _decays(row) for row in primes}, title),
            fresh / "by_prime.png",
        )
        for name, note in _typical(first).items():
            save(_triple(first, note, name, store), fresh / f"{name}.png")


def ratios(
    partials: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], int | None]
) -> dict[int, list[float]]:
    """Ratios of generated to true decay times, grouped by a key of the partials.

    Parameters
    ----------
    partials : sequence of mapping
        Rows of a :class:`Row`.
    key : callable
        Returns the group of a partial. One without a group is left out, and so is a group of one,
        which has no quartiles.
    """
    found: dict[int, list[float]] = {}
    for partial in partials:
        group = key(partial)
        if group is not None:
            found.setdefault(group, []).append(_number(partial["t60_made"]) / partial["t60"])
    return {group: several for group, several in found.items() if len(several) > 1}


def harmonic(partial: Mapping[str, Any]) -> int | None:
    """Number of a partial, 1 for the fundamental; None where inharmonicity makes it uncertain."""
    number = round(partial["frequency_hz"] / hz(partial["pitch"]))
    return number if 1 <= number <= PLAIN_NUMBERS else None


def _points(row: Row) -> list[PitchPoint]:
    return [PitchPoint(note["pitch"], _number(note["decay_ok"]), False) for note in row.notes]


def _scatter(instrument: str, shown: Sequence[Row]) -> Figure:
    pairs = [(p, row.label) for row in shown for p in row.partials]
    return decay_scatter(
        [p["t60"] for p, _ in pairs],
        [_number(p["t60_made"]) for p, _ in pairs],
        [label for _, label in pairs],
        f"{instrument}: partials of unseen notes",
    )


def _prime(row: Row) -> float:
    return row.placed[0].trial.signal.prime_seconds


def _decays(row: Row) -> list[float]:
    return [_number(note["decay_ok"]) for note in row.notes]


def _typical(row: Row) -> dict[str, dict[str, Any]]:
    """The best, the median and the worst note by score."""
    ranked = sorted(row.notes, key=lambda note: -note["score"])
    return {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}


def _triple(row: Row, note: dict[str, Any], name: str, store: TrialStore) -> Figure:
    """Original and continuation of a note."""
    trial = next(one.trial for one in row.placed if note["note"] in one.trial.evaluation[UNSEEN])
    original = _clip(trial.clips, note["note"])
    made = _clip(store.folder(trial) / CONTINUATIONS, note["note"])
    length = trial.signal.prime_samples
    return triple(
        original.samples,
        np.concatenate([original.samples[:length], made.samples]),
        made.samples,
        original.rate,
        length / original.rate,
        f"{name} of {len(row.notes)} unseen notes: {note['note']}, {row.label}, "
        f"score {note['score']:.2f}",
    )


def _clip(path: Path, id_: str) -> Clip:
    return next(clip for clip in read_clips(path) if clip.id == id_)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
