"""The examination: every candidate continues the same notes and is judged by the same measures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from notedecay.core.config import Evaluate
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.oracle import judge_oracle
from notedecay.metrics import mean_scores
from notedecay.models import Continuator
from notedecay.tracking.listening import Verdict, log_listening
from notedecay.tracking.runs import ActiveRun
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation


class Scorecard:
    """The notes of each split, with the few that are kept as audio and pictures.

    ``seen`` are training notes; ``validation`` and ``test`` are unseen.

    Parameters
    ----------
    material : Dataset
        Notes.
    config : Evaluate
        How many.
    """

    def __init__(self, material: Dataset, config: Evaluate) -> None:
        self.prime_samples = material.signal.prime_samples
        self.panels = {
            "seen": material.seen(config.seen_notes),
            "validation": material.panel(material.part("validation")),
            "test": material.panel(material.part("test")),
        }
        self.listen = config.listen

    def judge(self, continuator: Continuator[Any]) -> Verdict:
        """Let a candidate continue every note."""
        return {split: panel.judge(continuator) for split, panel in self.panels.items()}

    def judge_oracle(self) -> Verdict:
        """ESPRIT fitted to the true waveform: a yardstick, which a model may pass by the score."""
        return {split: judge_oracle(panel) for split, panel in self.panels.items()}

    def table(self, verdict: Verdict) -> dict[str, dict[str, float]]:
        """Means over the notes of each split."""
        return {split: means(verdict[split], panel) for split, panel in self.panels.items()}

    def log(self, run: ActiveRun, verdict: Verdict) -> dict[str, dict[str, float]]:
        """Log figures, audio and pictures of a candidate into its run; return the figures."""
        table = self.table(verdict)
        for split, figures in table.items():
            run.metrics({f"{split}.{measure}": value for measure, value in figures.items()})
        log_listening(run, verdict, self.listen, self.prime_samples)
        return table


def means(judged: Sequence[ScoredContinuation], panel: EvaluationSet) -> dict[str, float]:
    """Means over notes, with the spread of the main measures and the attractor."""
    scores = [j.scores for j in judged]
    table = mean_scores(scores)
    for measure in ("score", "decay_ok"):
        known = [v for s in scores if not math.isnan(v := getattr(s, measure))]
        table[f"{measure}_sd"] = statistics.pstdev(known) if known else math.nan
    table["attractor"] = panel.attractor(judged)
    return table


def rows(name: str, verdict: Verdict) -> list[dict[str, Any]]:
    """A row per note, for ``scores.csv``."""
    return [
        {
            "continuator": name,
            "split": split,
            "note": item.clip.id,
            "pitch": item.clip.pitch,
            **{k: _short(v) for k, v in asdict(item.scores).items()},
        }
        for split, judged in verdict.items()
        for item in judged
    ]


def _short(value: float) -> float:
    return round(value, 5) if isinstance(value, float) else value
