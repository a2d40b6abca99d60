"""Novelty of a note among the training notes, and the decay predicted for novel ones.

A net's density is as narrow far from its training notes as near them. So the more novel a note,
the larger the out-of-distribution weight that its density gives to the slopes of its own prime.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from notedecay.models.modal.features import NEIGHBOUR_SLOPE_COLUMN, SLOPE_SCALE
from notedecay.models.modal.mixture import MAX_T60, DecayMixture

NEIGHBOURS = 5
"""Training notes with which a note is compared."""
MIN_NOTES = 3
"""With fewer training notes nothing is novel: their distances from each other are unknown."""
USUAL_QUANTILE = 0.95
"""Quantile of the training notes' own novelty that is scaled to 1."""
MIN_NOVELTY, MAX_NOVELTY = 1.05, 1.35
"""Novelty at which the out-of-distribution weight leaves 0, and reaches 1."""
MIN_SPREAD = 0.05
"""Added to the training notes' standard deviation of each feature (in units of the features)."""
MAX_DIFFERENCE = 3.0
"""A difference counts up to so many standard deviations: no single feature makes a note novel.

At 16 kHz nearly every prime has the largest number of partials, and one of fewer lies far off."""
VALUES_AT_A_TIME = 2**20
"""Differences of features in memory at a time: 4 MiB, however many notes there are."""
SLOPE_STD = 0.4
"""Standard deviation of log T60 about the slope's: the prime is short, and decays bend."""


def note_features(features: Tensor, weights: Tensor) -> Tensor:
    """Average the features of each note's partials.

    Parameters
    ----------
    features : tensor, shape (notes, partials, features)
    weights : tensor, shape (notes, partials)
        Weight of each partial.

    Returns
    -------
    tensor, shape (notes, features)
        Zeros for a note without partials.
    """
    share = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-9)
    return (share[..., None, :] @ features)[..., 0, :]


class Reference(NamedTuple):
    """Training notes, and how far they lie apart: what novelty is relative to."""

    features: Tensor
    """From :func:`note_features`, shape (notes, features)."""
    spacing: Tensor
    """Mean distance of each from its nearest, shape (notes,)."""
    usual: Tensor
    """Quantile of their own distances relative to their neighbours' spacing, a scalar."""


def measure_reference(features: Tensor) -> Reference:
    """Measure once how far the training notes lie apart, so that no continuation need do so.

    Parameters
    ----------
    features : tensor, shape (notes, features)
        From :func:`note_features`.

    Returns
    -------
    Reference
        The time is quadratic in the notes (some 20 s for 10,000), the memory linear.
    """
    notes = len(features)
    if notes < MIN_NOTES:
        return Reference(features, features.new_zeros(notes), features.new_ones(()))
    scaled = features / _scale(features)
    rows = max(1, VALUES_AT_A_TIME // features.numel())
    distance = features.new_empty(notes)
    which = distance.new_empty(notes, min(NEIGHBOURS, notes - 1), dtype=torch.long)
    for part in torch.split(torch.arange(notes, device=features.device), rows):
        # Into one tensor: small ones of each part would lie between the large and keep memory.
        distance[part], which[part] = _nearest_others(scaled, part)
    spacing = distance.clamp(min=1e-6)
    relative = distance / spacing[which].mean(dim=-1)
    return Reference(features, spacing, relative.quantile(USUAL_QUANTILE).clamp(min=1e-6))


def novelty(notes: Tensor, reference: Reference) -> Tensor:
    """Measure the distance of notes from the training notes, relative to theirs.

    The distance from the nearest training notes is divided by theirs from their own nearest:
    instruments lie apart, and a note between two of them would else be as near as some are.

    Parameters
    ----------
    notes : tensor, shape (notes, features)
        From :func:`note_features`.
    reference : Reference
        Of the training notes.

    Returns
    -------
    tensor, shape (notes,)
        0 upwards; 95 % of the training notes reach less than 1.
    """
    if len(reference.features) < MIN_NOTES:
        return torch.zeros(len(notes), device=notes.device)
    scale = _scale(reference.features)
    distances = _distances(notes / scale, reference.features / scale)
    distance, which = _nearest(distances, len(reference.features))
    return distance / reference.spacing[which].mean(dim=-1) / reference.usual


def out_of_distribution_weight(novel: Tensor) -> Tensor:
    """Weight of the primes' own slopes in the density of decay times, 0 to 1, by novelty."""
    return ((novel - MIN_NOVELTY) / (MAX_NOVELTY - MIN_NOVELTY)).clamp(0, 1)


def decays_from_slopes(features: Tensor) -> DecayMixture:
    """Predict decay times from the slopes that a partial and its neighbours show in the prime.

    Parameters
    ----------
    features : tensor, shape (..., partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.

    Returns
    -------
    DecayMixture
        One component for each partial; those that rise or hold get the longest time.
    """
    fall_db_per_s = -SLOPE_SCALE * torch.sinh(features[..., NEIGHBOUR_SLOPE_COLUMN, None])
    log_t60 = math.log(60) - fall_db_per_s.clamp(min=60 / MAX_T60).log()
    return DecayMixture(torch.zeros_like(log_t60), log_t60, torch.full_like(log_t60, SLOPE_STD))


def _scale(reference: Tensor) -> Tensor:
    """Compute the difference of each feature that counts as 1."""
    return reference.std(dim=0, correction=0) + MIN_SPREAD


def _nearest_others(scaled: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest other notes of some notes, as :func:`_nearest` does."""
    distances = _distances(scaled[rows], scaled)
    distances[torch.arange(len(rows), device=rows.device), rows] = torch.inf
    return _nearest(distances, len(scaled))


def _nearest(distances: Tensor, notes: int) -> tuple[Tensor, Tensor]:
    """Find the nearest training notes: mean distance, shape (notes,), and which they are."""
    found = distances.topk(min(NEIGHBOURS, notes - 1), largest=False)
    return found.values.mean(dim=-1), found.indices


def _distances(notes: Tensor, others: Tensor) -> Tensor:
    """Compute distances with bounded differences, shape (notes, others)."""
    apart = (notes[:, None] - others).clamp(-MAX_DIFFERENCE, MAX_DIFFERENCE)
    distances: Tensor = torch.linalg.vector_norm(apart, dim=-1)
    return distances
