"""Measures of a note and of its continuation: partials, decay, noise, spectra, scores."""

from notedecay.metrics.attractor import attractor
from notedecay.metrics.beating import Beating, beating
from notedecay.metrics.decay import (
    decay_time,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics.exponential import Exponential, fit_exponential, hilbert_envelope
from notedecay.metrics.likeness import likeness
from notedecay.metrics.noise import envelope_db
from notedecay.metrics.partials import Partials, dominant_partials
from notedecay.metrics.reference import Reference
from notedecay.metrics.schroeder import schroeder_db, schroeder_t60
from notedecay.metrics.scores import MEASURES, Scores, mean_scores
from notedecay.metrics.stages import Stages, fit_stages

__all__ = [
    "MEASURES",
    "Beating",
    "Exponential",
    "Partials",
    "Reference",
    "Scores",
    "Stages",
    "attractor",
    "beating",
    "decay_time",
    "decay_times",
    "dominant_partials",
    "envelope_db",
    "envelope_floors",
    "fit_exponential",
    "fit_stages",
    "hilbert_envelope",
    "is_judged",
    "likeness",
    "mean_scores",
    "partial_envelopes",
    "schroeder_db",
    "schroeder_t60",
]
