"""Measures of a note and of its continuation: partials, decay, noise, spectra, scores."""

from notedecay.metrics.attractor import attractor
from notedecay.metrics.decay import (
    decay_time,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics.likeness import likeness
from notedecay.metrics.noise import envelope_db
from notedecay.metrics.partials import Partials, dominant_partials
from notedecay.metrics.reference import Reference
from notedecay.metrics.scores import MEASURES, Scores, mean_scores

__all__ = [
    "MEASURES",
    "Partials",
    "Reference",
    "Scores",
    "attractor",
    "decay_time",
    "decay_times",
    "dominant_partials",
    "envelope_db",
    "envelope_floors",
    "is_judged",
    "likeness",
    "mean_scores",
    "partial_envelopes",
]
