"""What is kept of each result for the tables: small enough to be committed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from notedecay.core.tables import read_json, write_json
from notedecay.experiments.trial import C5, RESULT
from notedecay.studies.paper.plan import Planned

ABOUT = "about.json"
"""Beside each result: of which experiment it is."""

KEPT = ("ended", "device", "machine", "seconds", "code", "figures", "teacher_forced", "warnings")

Summary = dict[str, Any]


def describe(one: Planned) -> None:
    """Write ``about.json`` beside a result."""
    about = {
        "experiment": one.experiment.name,
        "scale": one.scale.name,
        "seed": one.job.seed,
        "notes": f"{one.job.signal.instrument} {one.sources}",
    }
    write_json(about, one.folder / ABOUT)


def summaries(results: Path) -> list[Summary]:
    """Summarise every result in a folder; of two for the same, the newer."""
    folders = sorted((p.parent for p in results.glob(f"*/*/{ABOUT}")), key=_made)
    return merged([], [_summary(folder, results) for folder in folders])


def merged(kept: Iterable[Summary], found: Iterable[Summary]) -> list[Summary]:
    """Summaries by experiment, scale and seed; those that were found replace those kept."""
    every = {(s["experiment"], s["scale"], s["seed"]): s for s in (*kept, *found)}
    return [every[key] for key in sorted(every)]


def _made(folder: Path) -> int:
    return (folder / RESULT).stat().st_mtime_ns


def _summary(folder: Path, results: Path) -> Summary:
    result = read_json(folder / RESULT)
    summary: Summary = read_json(folder / ABOUT)
    summary |= {name: result.get(name) for name in KEPT}
    summary["loss"] = (result.get("losses") or [None])[-1]
    summary["c5"] = {split: _c5(notes) for split, notes in result["notes"].items()}
    summary["folder"] = folder.relative_to(results).as_posix()
    return summary


def _c5(notes: Sequence[dict[str, Any]]) -> float | None:
    """Decay ok of the notes of that pitch."""
    values = [n["decay_ok"] for n in notes if n["pitch"] == C5 and n["decay_ok"] is not None]
    return round(statistics.fmean(values), 4) if values else None
