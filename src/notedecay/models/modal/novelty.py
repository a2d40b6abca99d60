"""How unlike the notes learned from a note is, and what is left to say of a stranger."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from notedecay.models.modal.features import OWN_SLOPE, SLOPE
from notedecay.models.modal.mixture import LONGEST, Decays

NEAREST = 5
"""Learned notes with which a note is compared."""
FEWEST = 3
"""Of fewer learned notes nothing can be a stranger: how far apart they lie is not known."""
USUAL = 0.95
"""Share of the learned notes that counts as usual among themselves; the others lie apart."""
FAMILIAR, STRANGE = 1.05, 1.35
"""Up to which strangeness what was learned counts alone, and from which on not at all."""
SAME = 0.05
"""Spread below which the learned notes count as alike in a feature (its standard deviations)."""
MOST_APART = 3.0
"""Up to so many spreads of the learned notes a difference counts: none alone makes a stranger.

At 16 kHz nearly every prime has as many partials as are kept, and one of fewer lies far off."""
OWN_SPREAD = 0.4
"""Standard deviation of log T60 about the own slope: the prime is short, decays bend."""


def portraits(heard: Tensor, loud: Tensor) -> Tensor:
    """Describe notes by the mean of their partials.

    Parameters
    ----------
    heard : tensor, shape (notes, partials, features)
    loud : tensor, shape (notes, partials)
        By how much each partial counts.

    Returns
    -------
    tensor, shape (notes, features)
        Zeros for a note without partials.
    """
    share = loud / loud.sum(dim=-1, keepdim=True).clamp(min=1e-9)
    return (share[..., None, :] @ heard)[..., 0, :]


def strangeness(notes: Tensor, learned: Tensor) -> Tensor:
    """How far notes lie from the learned ones, for how far these lie from each other.

    The distance from the nearest learned notes is taken relative to theirs from their own
    nearest: instruments lie apart, and a stranger between them is as near as some are.

    Parameters
    ----------
    notes, learned : tensor, shape (notes, features)
        From :func:`portraits`.

    Returns
    -------
    tensor, shape (notes,)
        0 upwards; 1 is more than 95 % of the learned notes reach.
    """
    if len(learned) < FEWEST:
        return torch.zeros(len(notes), device=notes.device)
    scale = learned.std(dim=0, correction=0) + SAME
    between = _distances(learned / scale, learned / scale).fill_diagonal_(torch.inf)
    nearest = min(NEAREST, len(learned) - 1)
    crowding = between.topk(nearest, largest=False).values.mean(dim=-1).clamp(min=1e-6)

    def apart(distances: Tensor) -> Tensor:
        found = distances.topk(nearest, largest=False)
        return found.values.mean(dim=-1) / crowding[found.indices].mean(dim=-1)

    usual = apart(between).quantile(USUAL).clamp(min=1e-6)
    return apart(_distances(notes / scale, learned / scale)) / usual


def doubt(strange: Tensor) -> Tensor:
    """Share of the density that is taken from what was learned, by the strangeness of notes."""
    return ((strange - FAMILIAR) / (STRANGE - FAMILIAR)).clamp(0, 1)


def own_decays(features: Tensor) -> Decays:
    """Decay times by which partials go on as they, and those about them, fall in the prime.

    Parameters
    ----------
    features : tensor, shape (..., partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.

    Returns
    -------
    Decays
        One normal for each partial; those that rise or hold get the longest time.
    """
    fall_db_per_s = -SLOPE * torch.sinh(features[..., OWN_SLOPE, None])
    log_t60 = math.log(60) - fall_db_per_s.clamp(min=60 / LONGEST).log()
    return Decays(torch.zeros_like(log_t60), log_t60, torch.full_like(log_t60, OWN_SPREAD))


def _distances(notes: Tensor, others: Tensor) -> Tensor:
    apart = (notes[:, None] - others).clamp(-MOST_APART, MOST_APART)
    distances: Tensor = torch.linalg.vector_norm(apart, dim=-1)
    return distances
