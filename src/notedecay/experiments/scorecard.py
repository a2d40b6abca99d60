"""The scorecard: all candidates continue the same notes and are scored by the same measures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from notedecay.core.config import Evaluate
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.oracle import evaluate_oracle
from notedecay.experiments.scoring import Scored, means
from notedecay.models import Continuator
from notedecay.tracking.listening import log_listening
from notedecay.tracking.runs import ActiveRun


class Scorecard:
    """Evaluation sets of an instrument, and the number of notes that are kept as audio.

    ``seen`` are training notes; ``validation`` and ``test`` are unseen.

    Parameters
    ----------
    dataset : Dataset
        Its notes.
    config : Evaluate
        How many notes.
    """

    def __init__(self, dataset: Dataset, config: Evaluate) -> None:
        self.prime_samples = dataset.signal.prime_samples
        notes = {
            "seen": dataset.seen(config.seen_notes),
            "validation": dataset.part("validation"),
            "test": dataset.part("test"),
        }
        self.sets = {name: dataset.evaluation_set(clips) for name, clips in notes.items()}
        self.listen = config.listen

    def evaluate(self, model: Continuator[Any]) -> Scored:
        """Continue and score every note."""
        return {name: notes.evaluate(model) for name, notes in self.sets.items()}

    def evaluate_oracle(self) -> Scored:
        """Score ESPRIT fitted to the true waveform: a yardstick, which a model may exceed."""
        return {name: evaluate_oracle(notes) for name, notes in self.sets.items()}

    def table(self, scored: Scored) -> dict[str, dict[str, float]]:
        """Means over the notes of each split."""
        return {name: means(scored[name], notes) for name, notes in self.sets.items()}

    def log(self, run: ActiveRun, scored: Scored) -> dict[str, dict[str, float]]:
        """Log figures, audio and pictures of a candidate into its run; return the figures."""
        table = self.table(scored)
        for name, figures in table.items():
            run.metrics({f"{name}.{measure}": value for measure, value in figures.items()})
        log_listening(run, scored, self.listen, self.prime_samples)
        return table


def rows(name: str, scored: Scored) -> list[dict[str, Any]]:
    """Scores of each note, for ``scores.csv``."""
    return [
        {
            "model": name,
            "split": split,
            "note": item.clip.id,
            "pitch": item.clip.pitch,
            **{k: _short(v) for k, v in asdict(item.scores).items()},
        }
        for split, items in scored.items()
        for item in items
    ]


def _short(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
