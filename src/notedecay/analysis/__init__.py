"""What is known of a note and of its continuation: partials, decay, noise, scores, pictures."""

from notedecay.analysis.attractor import attractor
from notedecay.analysis.charts import (
    PitchPoint,
    comparison_bars,
    decay_scatter,
    scores_by_pitch,
)
from notedecay.analysis.decay import (
    decay_time,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.analysis.likeness import likeness
from notedecay.analysis.noise import envelope_db
from notedecay.analysis.partials import Partials, dominant_partials
from notedecay.analysis.plots import save, triple
from notedecay.analysis.reference import Reference
from notedecay.analysis.scores import MEASURES, Scores, mean_scores

__all__ = [
    "MEASURES",
    "Partials",
    "PitchPoint",
    "Reference",
    "Scores",
    "attractor",
    "comparison_bars",
    "decay_scatter",
    "decay_time",
    "decay_times",
    "dominant_partials",
    "envelope_db",
    "envelope_floors",
    "is_judged",
    "likeness",
    "mean_scores",
    "partial_envelopes",
    "save",
    "scores_by_pitch",
    "triple",
]
