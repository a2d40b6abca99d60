"""Figures of scored continuations: means and deviations over notes, rows per note."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from notedecay.audio import highpass
from notedecay.experiments.oracle import ORACLE, evaluate_oracle
from notedecay.metrics import mean_scores
from notedecay.models import Continuator
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation

Scored = Mapping[str, Sequence[ScoredContinuation]]
"""Scored continuations of one model, by evaluation set."""

WITH_DEVIATION = ("score", "decay_ok", "envelope_db", "join_snr_db")
"""Measures whose standard deviation over the notes is reported too."""


def evaluate(
    model: Continuator[Any] | None, notes: EvaluationSet, highpass_hz: float | None = None
) -> tuple[EvaluationSet, list[ScoredContinuation]]:
    """Continue every prime of an evaluation set, and score the continuations.

    Parameters
    ----------
    model : Continuator or None
        None for the oracle.
    notes : EvaluationSet
        Its primes are not filtered.
    highpass_hz : float or None
        Corner of a high-pass filter for originals and continuations before scoring (Hz); rumble
        does not decay, and would hide the decay of partials.

    Returns
    -------
    notes : EvaluationSet
        The evaluation set that was used, filtered if asked.
    scored : list of ScoredContinuation
        One for each note.
    """
    if model is None:
        return notes, evaluate_oracle(notes)
    if highpass_hz is None:
        return notes, notes.evaluate(model)
    prime = notes.prime_samples
    filtered = EvaluationSet(
        [replace(c, samples=highpass(c.samples, c.rate, highpass_hz)) for c in notes.clips], prime
    )
    whole = [
        highpass(np.concatenate([c.samples[:prime], made]), c.rate, highpass_hz)
        for c, made in zip(notes.clips, notes.continuations(model), strict=True)
    ]
    return filtered, filtered.score([samples[prime:] for samples in whole])


def means(scored: Sequence[ScoredContinuation], notes: EvaluationSet) -> dict[str, float]:
    """Means over notes, standard deviations of the main measures (``…_sd``), and the attractor."""
    return with_deviations([item.scores for item in scored]) | {
        "attractor": notes.attractor(scored)
    }


def with_deviations(scores: Sequence[Any]) -> dict[str, float]:
    """Means of scores over notes, and standard deviations of the main measures; NaN for none."""
    table = mean_scores(scores)
    for measure in WITH_DEVIATION:
        known = [v for s in scores if not math.isnan(v := getattr(s, measure))]
        table[f"{measure}_sd"] = statistics.pstdev(known) if known else math.nan
    return table


def note_rows(scored: Sequence[ScoredContinuation]) -> list[dict[str, Any]]:
    """Scores of each note, with its id and pitch."""
    return [
        {"note": item.clip.id, "pitch": item.clip.pitch, **asdict(item.scores)} for item in scored
    ]


def plain(value: Any) -> Any:
    """Plain data in which None replaces NaN and infinity, which JSON lacks."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def is_oracle(model: str) -> bool:
    """Whether a name is that of the oracle, which sees the original and needs no training."""
    return model == ORACLE
