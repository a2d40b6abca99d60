"""What the jobs of a condition say together: per note, per partial, and on the whole."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notedecay.core.tables import read_json
from notedecay.experiments.trial import RESULT
from notedecay.metrics import MEASURES, Scores, mean_scores
from notedecay.studies.crossval.plan import Trial

SPREAD = ("score", "decay_ok", "envelope_db", "join_snr_db")
"""Measures whose standard deviation over the notes is reported too."""


@dataclass(frozen=True)
class Verdict:
    """A competitor under a condition; every note was judged once.

    Attributes
    ----------
    condition, label : str
        As in the table.
    notes, partials : list of dict
        Rows of the CSV files.
    trials : list of Trial
        Behind it.
    """

    condition: str
    label: str
    notes: list[dict[str, Any]]
    partials: list[dict[str, Any]]
    trials: list[Trial]

    @property
    def scores(self) -> list[Scores]:
        """Of each note."""
        return [_scores(note) for note in self.notes]

    def means(self) -> dict[str, float]:
        """Means over the notes, and the spread of the main measures."""
        scores = self.scores
        table = mean_scores(scores)
        for measure in SPREAD:
            known = [v for s in scores if not math.isnan(v := getattr(s, measure))]
            table[f"{measure}_sd"] = statistics.pstdev(known) if known else math.nan
        return table


def verdicts(trials: Sequence[Trial]) -> list[Verdict]:
    """Gather the results, in the order of the trials; what has none is left out."""
    gathered: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        if (trial.folder / RESULT).exists():
            gathered.setdefault((trial.condition, trial.competitor.label), []).append(trial)
    return [_verdict(condition, label, group) for (condition, label), group in gathered.items()]


def _verdict(condition: str, label: str, trials: list[Trial]) -> Verdict:
    results = [read_json(trial.folder / RESULT) for trial in trials]
    where = {"condition": condition, "continuator": label}
    notes = [where | note for result in results for note in result["notes"]["unseen"]]
    partials = [where | partial for result in results for partial in result["partials"]]
    return Verdict(condition, label, notes, partials, trials)


def _scores(note: Mapping[str, Any]) -> Scores:
    """A note's row as scores; JSON has null for NaN."""
    known = {m: math.nan if note[m] is None else float(note[m]) for m in MEASURES}
    return Scores(**known, judged=int(note["judged"]))
