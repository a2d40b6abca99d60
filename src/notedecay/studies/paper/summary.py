"""Summaries of results for the tables, small enough to be committed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from notedecay.experiments.store import TrialStore
from notedecay.studies.paper.datasets import C5
from notedecay.studies.paper.plan import Planned

KEPT = ("ended", "device", "machine", "seconds", "code", "figures", "teacher_forced", "warnings")

Summary = dict[str, Any]


def summaries(planned: Iterable[Planned], store: TrialStore) -> list[Summary]:
    """Summarise the results of the trials that have one."""
    return [_summary(one, store) for one in planned if store.has(one.trial)]


def merged(committed: Iterable[Summary], new: Iterable[Summary]) -> list[Summary]:
    """Summaries by experiment, scale and seed; new ones replace committed ones."""
    every = {(s["experiment"], s["scale"], s["seed"]): s for s in (*committed, *new)}
    return [every[key] for key in sorted(every)]


def _summary(one: Planned, store: TrialStore) -> Summary:
    result = store.result(one.trial)
    summary = {
        "experiment": one.experiment.name,
        "scale": one.scale.name,
        "seed": one.trial.seed,
        "notes": f"{one.trial.signal.instrument} {one.sources}",
        **{name: result.get(name) for name in KEPT},
        "loss": result["history"][-1]["train_loss"] if result["history"] else None,
        "c5": {name: _c5(notes) for name, notes in result["notes"].items()},
        "folder": store.folder(one.trial).name,
    }
    short: Summary = _short(summary)
    return short


def _short(value: Any) -> Any:
    """Round numbers to six digits, since they are committed."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items()}
    return value


def _c5(notes: Sequence[dict[str, Any]]) -> float | None:
    """Mean decay ok of the notes of pitch C5."""
    values = [n["decay_ok"] for n in notes if n["pitch"] == C5 and n["decay_ok"] is not None]
    return round(statistics.fmean(values), 4) if values else None
