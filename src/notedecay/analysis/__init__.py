"""What is known of a note and of its continuation: partials, decay, noise, scores, pictures."""

from notedecay.analysis.attractor import attractor
from notedecay.analysis.beating import Beating, beating
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
from notedecay.analysis.decay_charts import decay_picture
from notedecay.analysis.error_charts import decay_over_prime, error_over_partials
from notedecay.analysis.exponential import Exponential, fit_exponential, hilbert_envelope
from notedecay.analysis.likeness import likeness
from notedecay.analysis.noise import envelope_db
from notedecay.analysis.partials import Partials, dominant_partials
from notedecay.analysis.plots import save, triple
from notedecay.analysis.reference import Reference
from notedecay.analysis.schroeder import schroeder_db, schroeder_t60
from notedecay.analysis.scores import MEASURES, Scores, mean_scores
from notedecay.analysis.stages import Stages, fit_stages

__all__ = [
    "MEASURES",
    "Beating",
    "Exponential",
    "Partials",
    "PitchPoint",
    "Reference",
    "Scores",
    "Stages",
    "attractor",
    "beating",
    "comparison_bars",
    "decay_over_prime",
    "decay_picture",
    "decay_scatter",
    "decay_time",
    "decay_times",
    "dominant_partials",
    "envelope_db",
    "envelope_floors",
    "error_over_partials",
    "fit_exponential",
    "fit_stages",
    "hilbert_envelope",
    "is_judged",
    "likeness",
    "mean_scores",
    "partial_envelopes",
    "save",
    "schroeder_db",
    "schroeder_t60",
    "scores_by_pitch",
    "triple",
]
