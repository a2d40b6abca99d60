"""What partials fall to: after the decay that is heard first, a weaker and longer one.

A piano's strings first give their energy away together, soon against each other, then slowly
(Weinreich, "Coupled piano strings", JASA 62, 1977); a guitar's die away up and down sooner than
from side to side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.metrics.decay import STEP_SECONDS, WINDOW_SECONDS, decay_times, is_judged
from notedecay.models.modal.mixture import LONGEST, SHORTEST
from notedecay.models.modal.partials import Array

LOUD_DB = 40.0
"""Partials further under the loudest are not asked what they fall to: noise hides it."""
BENDS_DB = 10.0
"""One that ends this far over its line has bent."""
LATE_SHARE = 0.4
"""Of the envelope, at its end: how fast a partial that has bent falls there."""
SHALLOWEST_DB, BOTTOMLESS_DB = 12.0, 90.0
"""Bounds of how much weaker the longer decay is; at the last it is not heard."""
APART_DB = 10.0
"""An error of so much counts as one of the longer decay's T60 by a factor of e."""
BRIEF_SECONDS = 0.25
"""T60 of partials that are over before the measure could tell an aftersound from them."""
LOUDER_DB = 4.0
"""By how much the energy of an aftersound whose level is not known exceeds that of its middle."""
FIRST_HEARD = WINDOW_SECONDS / 2
"""Middle of the measure's first window (s): of the prime's end it hears as much later."""
FITS = 8
"""Times that the first stage is corrected."""
GRID = np.arange(0.0, 0.8, 0.005)
"""Times at which both stages are listened to, in shares of the decay time foretold."""


class Bends(NamedTuple):
    """What each partial falls to; arrays of shape (partials,)."""

    depth_db: Array
    """How much weaker the longer decay is where the measure first hears the partial, or, of one
    that has not bent, how far it has fallen without; 0 where it was not asked."""
    t60: Array
    """Of what follows (s); 0 where it has not bent."""


class Aftersound(NamedTuple):
    """The longer decay of partials; tensors of shape (..., partials)."""

    depth_db: Tensor
    """How much weaker than the partial it is where the measure first hears them."""
    log_t60: Tensor
    """Of it (T60 in s)."""

    def wrong(self, depth_db: Tensor, t60: Tensor) -> Tensor:
        """How far it is from what is true, a scalar; notes of which nothing is known have none.

        Parameters
        ----------
        depth_db, t60 : tensor, shape (..., partials)
            As :func:`bends` has them. One that has not bent yet can only be too shallow.
        """
        asked, bent = (depth_db > 0).float(), t60 > 0
        off = (self.depth_db - depth_db) / APART_DB
        longer = self.log_t60 - t60.clamp(min=SHORTEST).log()
        away = torch.where(bent, _robust(off) + _robust(longer), _robust(off.clamp(max=0)))
        return (away * asked).sum() / (asked.expand(away.shape)).sum().clamp(min=1.0)


def bends(envelopes_db: Array, floors_db: Array, t60: Array, level_db: Array) -> Bends:
    """Measure what partials fall to.

    Parameters
    ----------
    envelopes_db : ndarray of float64, shape (partials, times)
        Of a note after its prime.
    floors_db, t60, level_db : ndarray of float64, shape (partials,)
        Their floors (dB), decay times (s), and levels where the prime ends (dB).

    Returns
    -------
    Bends
    """
    asked = is_judged(t60) & (level_db > level_db.max(initial=-200.0) - LOUD_DB)
    fallen = envelopes_db[:, 0] - floors_db
    line = 60.0 * envelopes_db.shape[1] * STEP_SECONDS / np.where(asked, t60, LONGEST)
    bent = asked & (line - fallen > BENDS_DB)
    late = envelopes_db[:, -max(3, round(LATE_SHARE * envelopes_db.shape[1])) :]
    t = STEP_SECONDS * (np.arange(late.shape[1]) - (late.shape[1] - 1) / 2)
    falls_db_per_s = np.maximum(-(late @ t) / (t @ t), 60.0 / LONGEST)
    middle = STEP_SECONDS * (envelopes_db.shape[1] - 1) - t[-1]
    begins_db = late.mean(axis=1) + falls_db_per_s * middle
    depth = np.where(bent, envelopes_db[:, 0] - begins_db, fallen)
    depth = np.clip(depth, SHALLOWEST_DB, BOTTOMLESS_DB)
    return Bends(np.where(asked, depth, 0.0), np.where(bent, 60.0 / falls_db_per_s, 0.0))


def louder_db(level_db: Tensor, middle: Aftersound) -> Tensor:
    """By how much a note's aftersound is louder than if all its partials were in their middles.

    Of many levels that are not known some turn out loud, and these make up the sum. Of levels
    known to 12 dB, as these are, the sum of a number lies about as much over that of their
    middles as the number itself makes.

    Parameters
    ----------
    level_db : tensor, shape (partials,)
        Where the prime ends.
    middle : Aftersound
        As often stronger as weaker.

    Returns
    -------
    tensor, scalar
        dB; :data:`LOUDER_DB` of a single partial.
    """
    energy = 10 ** ((level_db - middle.depth_db) / 10) * middle.log_t60.exp()
    sharing = energy.sum() ** 2 / (energy**2).sum().clamp(min=1e-30)
    return LOUDER_DB + 10 * torch.log10(sharing.clamp(min=1.0))


def stages(t60: Array, depth_db: Array, after_t60: Array) -> tuple[Array, Array, Array]:
    """Two stages of decay that together are heard to fall as one is foretold to.

    They sound against each other, as strings do that have given away what they shared: where
    the first has fallen to the second the partial dips, and there the line ends by which its
    decay is measured. So the second may be loud, and the first is what it must be for both to
    measure as foretold.

    Parameters
    ----------
    t60 : ndarray of float64, shape (partials,)
        Of the decay as it is measured (s).
    depth_db, after_t60 : ndarray of float64, shape (partials,)
        How much weaker the second is where the measure first hears them, and its T60 (s) where
        it is longer. Partials of T60 under 0.25 s have none.

    Returns
    -------
    first, second : ndarray of float64, shape (partials,)
        T60 of both (s).
    weaker : ndarray of float64, shape (partials,)
        Amplitude of the second, to be taken from the first, which has as much more.
    """
    second = np.maximum(t60, after_t60)
    fallen_db = 60 * FIRST_HEARD * (1 / t60 - 1 / second)
    depth = np.clip(depth_db, SHALLOWEST_DB, BOTTOMLESS_DB) + fallen_db
    heard = (depth < BOTTOMLESS_DB) & (t60 > BRIEF_SECONDS)
    weaker = np.where(heard, 10 ** (-depth / 20), 0.0)
    first = t60.copy()
    for _ in range(FITS):
        longer = t60 / _measured(t60, first, second, weaker)
        longer = np.where(np.isfinite(longer) & (longer > 0), longer, 1.0)
        first = np.clip(first * np.clip(longer, 0.5, 2.0), SHORTEST / 2, LONGEST)
    return first, second, weaker


def _measured(t60: Array, first: Array, second: Array, weaker: Array) -> Array:
    """T60 as it is measured of both stages (s), on a grid as long as the one foretold wants."""
    times = np.outer(t60, GRID) + FIRST_HEARD
    quick, slow = (10 ** (-3 * times / stage[:, np.newaxis]) for stage in (first, second))
    share = weaker[:, np.newaxis]
    level_db = 20 * np.log10(np.abs((1 + share) * quick - share * slow) + 1e-9)
    in_steps = decay_times(level_db, np.full(len(level_db), -np.inf))
    return np.asarray(in_steps * t60 * (GRID[1] / STEP_SECONDS))


def _robust(error: Tensor) -> Tensor:
    return nn.functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none")
