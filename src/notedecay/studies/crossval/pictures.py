"""Where errors are: by partial, its number, pitch, length of the prime; best and worst notes."""

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
from notedecay.experiments.trial import MADE
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
from notedecay.studies.crossval.plan import OUTSIDE, UNSEEN
from notedecay.studies.crossval.results import Verdict

PLAIN_NUMBERS = 12
"""Above, a stiff string's partial may lie nearer to the next number than to its own."""

BY_RANK = "partial, 1 is the strongest after the prime"
BY_NUMBER = f"number of the partial, 1 is the fundamental (up to {PLAIN_NUMBERS})"


def draw(instrument: str, verdicts: Sequence[Verdict], folder: Path) -> None:
    """Write every picture of an evaluation.

    Parameters
    ----------
    instrument : str
        For the titles.
    verdicts : sequence of Verdict
        Unseen pitches first, and there the competitor whose further trials were run.
    folder : Path
        Gets ``comparison.png``, ``by_pitch.png``, ``decay.png``, ``by_rank.png``,
        ``by_number.png``, ``by_prime.png``, ``best.png``, ``median.png`` and ``worst.png``,
        replaced as a whole.
    """
    unseen = [v for v in verdicts if v.condition == UNSEEN]
    first = unseen[0]
    shown = [v for v in unseen if v.label in (first.label, "esprit")]
    with replacing_folder(folder) as fresh:
        bars = {v.label: v.scores for v in unseen}
        title = f"{instrument}: unseen notes"
        save(comparison_bars(bars, title=title), fresh / "comparison.png")
        points = {v.label: _points(v) for v in shown}
        save(scores_by_pitch(points, "decay_ok", title), fresh / "by_pitch.png")
        save(_scatter(instrument, shown), fresh / "decay.png")
        ranks = {v.label: ratios(v.partials, lambda partial: int(partial["rank"])) for v in shown}
        save(error_over_partials(ranks, BY_RANK, title), fresh / "by_rank.png")
        numbers = {v.label: ratios(v.partials, harmonic) for v in shown}
        save(error_over_partials(numbers, BY_NUMBER, title), fresh / "by_number.png")
        primes = [v for v in verdicts if v.label == first.label and v.condition != OUTSIDE]
        title = f"{instrument}, {first.label}: unseen notes"
        save(
            decay_over_prime({_prime(v): _decays(v) for v in primes}, title), fresh / "by_prime.png"
        )
        for name, note in _typical(first).items():
            save(_triple(first, note, name), fresh / f"{name}.png")


def ratios(
    partials: Sequence[Mapping[str, Any]], place: Callable[[Mapping[str, Any]], int | None]
) -> dict[int, list[float]]:
    """Gather decay times, made over true, by a partial's place.

    Parameters
    ----------
    partials : sequence of mapping
        Rows of a :class:`Verdict`.
    place : callable
        Tells where a partial belongs; one without a place is left out, and so is one that is
        alone in its place, where there are no quartiles.
    """
    found: dict[int, list[float]] = {}
    for partial in partials:
        at = place(partial)
        if at is not None:
            found.setdefault(at, []).append(_number(partial["t60_made"]) / partial["t60"])
    return {at: several for at, several in found.items() if len(several) > 1}


def harmonic(partial: Mapping[str, Any]) -> int | None:
    """Number of a partial, 1 for the fundamental; None where it is not plain."""
    number = round(partial["frequency_hz"] / hz(partial["pitch"]))
    return number if 1 <= number <= PLAIN_NUMBERS else None


def _points(verdict: Verdict) -> list[PitchPoint]:
    return [PitchPoint(note["pitch"], _number(note["decay_ok"]), False) for note in verdict.notes]


def _scatter(instrument: str, shown: Sequence[Verdict]) -> Figure:
    rows = [(p, v.label) for v in shown for p in v.partials]
    return decay_scatter(
        [p["t60"] for p, _ in rows],
        [_number(p["t60_made"]) for p, _ in rows],
        [label for _, label in rows],
        f"{instrument}: partials of unseen notes",
    )


def _prime(verdict: Verdict) -> float:
    return verdict.trials[0].job.signal.prime_seconds


def _decays(verdict: Verdict) -> list[float]:
    return [_number(note["decay_ok"]) for note in verdict.notes]


def _typical(verdict: Verdict) -> dict[str, dict[str, Any]]:
    """The best, the median and the worst note by score."""
    ranked = sorted(verdict.notes, key=lambda note: -note["score"])
    return {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}


def _triple(verdict: Verdict, note: dict[str, Any], name: str) -> Figure:
    """Original and continuation of a note."""
    trial = next(t for t in verdict.trials if note["note"] in t.job.unseen)
    original = _clip(trial.job.clips, note["note"])
    made = _clip(trial.folder / MADE, note["note"])
    length = trial.job.signal.prime_samples
    return triple(
        original.samples,
        np.concatenate([original.samples[:length], made.samples]),
        made.samples,
        original.rate,
        length / original.rate,
        f"{name} of {len(verdict.notes)} unseen notes: {note['note']}, {verdict.label}, "
        f"score {note['score']:.2f}",
    )


def _clip(path: Path, id_: str) -> Clip:
    return next(clip for clip in read_clips(path) if clip.id == id_)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
