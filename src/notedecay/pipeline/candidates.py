"""Candidates for the championship: what is judged, and how it is kept in the tracking store."""

from __future__ import annotations

import json
import math
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from notedecay.analysis import mean_scores
from notedecay.config import Evaluate
from notedecay.continuators import Continuator, create, load
from notedecay.pipeline.material import Material
from notedecay.tracking.listening import write_listening
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.panel import Judged, Panel

SPLITS = ("seen", "validation", "test")
"""``seen`` are training notes; ``validation`` and ``test`` are unseen."""

Verdicts = Mapping[str, Sequence[Judged]]
"""What was judged, by split."""


def panels(material: Material, config: Evaluate) -> dict[str, Panel]:
    """The notes of each split that candidates are judged on."""
    return {
        "seen": material.seen(config.seen_notes),
        "validation": material.panel(material.part("validation")),
        "test": material.panel(material.part("test")),
    }


def candidates(material: Material, config: Evaluate, model: Path) -> dict[str, Continuator[Any]]:
    """The trained model and the baselines, by name."""
    learned = load(model)
    classical = {
        name: create(name, material.signal, settings) for name, settings in config.baselines.items()
    }
    return {learned.name: learned, **classical}


def means(judged: Sequence[Judged], panel: Panel) -> dict[str, float]:
    """Means over notes, with the spread of the main measures and the attractor."""
    scores = [j.scores for j in judged]
    table = mean_scores(scores)
    for measure in ("score", "decay_ok"):
        known = [v for s in scores if not math.isnan(v := getattr(s, measure))]
        table[f"{measure}_sd"] = statistics.pstdev(known) if known else math.nan
    table["attractor"] = panel.attractor(judged)
    return table


def rows(name: str, verdicts: Verdicts) -> list[dict[str, Any]]:
    """A row per note, for ``scores.csv``."""
    return [
        {
            "continuator": name,
            "split": split,
            "note": item.clip.id,
            "pitch": item.clip.pitch,
            **{k: _short(v) for k, v in asdict(item.scores).items()},
        }
        for split, judged in verdicts.items()
        for item in judged
    ]


def log_candidate(
    run: ActiveRun,
    verdicts: Verdicts,
    table: Mapping[str, Mapping[str, float]],
    listen: Mapping[str, Panel],
    prime_samples: int,
) -> None:
    """Log figures, audio and pictures of a candidate into its run."""
    for split, figures in table.items():
        run.metrics({f"{split}.{measure}": value for measure, value in figures.items()})
    with tempfile.TemporaryDirectory(prefix="notedecay-") as folder:
        for split, panel in listen.items():
            ids = {clip.id for clip in panel.clips}
            few = [item for item in verdicts[split] if item.clip.id in ids]
            write_listening(few, prime_samples, Path(folder) / split)
        run.folder(Path(folder), "listen")


def describe(continuator: Continuator[Any]) -> dict[str, Any]:
    """Parameters of a candidate's run."""
    return {"continuator": continuator.name, **continuator.config.model_dump()}


def start(tracker: Tracker, continuator: Continuator[Any], train_run: str) -> Any:
    """The run of a candidate: the training's own for a learned one, a new one for a baseline."""
    if continuator.learned and tracker.has(train_run):
        return tracker.resume(train_run)
    kind = "train" if continuator.learned else "baseline"
    return tracker.run(f"{kind} {continuator.name}", kind, params=describe(continuator))


def read_json(path: Path) -> Any:
    """Read what an earlier stage wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def _short(value: float) -> float:
    return round(value, 5) if isinstance(value, float) else value
