"""Aftersound: the weaker, longer decay that follows a partial's first decay.

The strings of a piano first lose their energy together, soon in opposite phase, then slowly
(Weinreich, "Coupled piano strings", JASA 62, 1977). A guitar string decays faster perpendicular
to the top plate than parallel to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.metrics.decay import STEP_SECONDS, WINDOW_SECONDS, decay_times, is_judged
from notedecay.models.modal.mixture import MAX_T60, MIN_T60
from notedecay.models.modal.partials import Array

MAX_UNDER_LOUDEST_DB = 40.0
"""Partials further under the loudest are left out: noise hides their aftersound."""
MIN_EXCESS_DB = 10.0
"""A partial has an aftersound if it ends this far above the line of its first decay."""
LATE_SHARE = 0.4
"""Share of the envelope, at its end, over which the slope of the aftersound is fitted."""
MIN_DEPTH_DB, MAX_DEPTH_DB = 12.0, 90.0
"""Bounds of how much weaker the aftersound is; at the upper one it is left out."""
DEPTH_SCALE_DB = 10.0
"""Error of the depth that counts as much as a factor of e in the aftersound's T60."""
MIN_T60_WITH_AFTERSOUND = 0.25
"""Partials with a shorter T60 (s) get no aftersound: the measure could not separate the two."""
ENERGY_CORRECTION_DB = 4.0
"""By how much the mean energy of an aftersound of uncertain level exceeds that at its median."""
FIRST_FRAME_SECONDS = WINDOW_SECONDS / 2
"""Time of the envelope's first value after the prime: the middle of its first window (s)."""
ITERATIONS = 8
"""Corrections of the first stage's T60."""
GRID = np.arange(0.0, 0.8, 0.005)
"""Times at which the sum of both stages is measured, as shares of the predicted T60."""


class AftersoundTargets(NamedTuple):
    """True aftersound of each partial; arrays of shape (partials,)."""

    depth_db: Array
    """How much weaker the aftersound is at the first envelope value. For a partial without one:
    how far it has fallen, a lower bound. 0 for a partial that is left out."""
    t60: Array
    """T60 of the aftersound (s); 0 without one."""


class Aftersound(NamedTuple):
    """Predicted aftersound of partials; tensors of shape (..., partials)."""

    depth_db: Tensor
    """How much weaker than the partial it is at the first envelope value (dB)."""
    log_t60: Tensor
    """Logarithm of its T60 (s)."""

    def loss(self, depth_db: Tensor, t60: Tensor) -> Tensor:
        """Compute the error against true aftersounds, a scalar; 0 where none is known.

        Parameters
        ----------
        depth_db, t60 : tensor, shape (..., partials)
            As :func:`measure_aftersound` has them. Where no aftersound was measured, only a
            depth below its lower bound is an error.
        """
        included, measured = (depth_db > 0).float(), t60 > 0
        depth_error = (self.depth_db - depth_db) / DEPTH_SCALE_DB
        t60_error = self.log_t60 - t60.clamp(min=MIN_T60).log()
        error = torch.where(
            measured, _robust(depth_error) + _robust(t60_error), _robust(depth_error.clamp(max=0))
        )
        return (error * included).sum() / (included.expand(error.shape)).sum().clamp(min=1.0)


def measure_aftersound(
    envelopes_db: Array, floors_db: Array, t60: Array, level_db: Array
) -> AftersoundTargets:
    """Measure the aftersound of each partial.

    Parameters
    ----------
    envelopes_db : ndarray of float64, shape (partials, times)
        Envelopes of a note after its prime (dB).
    floors_db, t60, level_db : ndarray of float64, shape (partials,)
        Their noise floors (dB), decay times (s), and levels at the end of the prime (dB).

    Returns
    -------
    AftersoundTargets
    """
    included = is_judged(t60) & (level_db > level_db.max(initial=-200.0) - MAX_UNDER_LOUDEST_DB)
    fallen = envelopes_db[:, 0] - floors_db
    line = 60.0 * envelopes_db.shape[1] * STEP_SECONDS / np.where(included, t60, MAX_T60)
    measured = included & (line - fallen > MIN_EXCESS_DB)
    late = envelopes_db[:, -max(3, round(LATE_SHARE * envelopes_db.shape[1])) :]
    t = STEP_SECONDS * (np.arange(late.shape[1]) - (late.shape[1] - 1) / 2)
    falls_db_per_s = np.maximum(-(late @ t) / (t @ t), 60.0 / MAX_T60)
    middle = STEP_SECONDS * (envelopes_db.shape[1] - 1) - t[-1]
    begins_db = late.mean(axis=1) + falls_db_per_s * middle
    depth = np.where(measured, envelopes_db[:, 0] - begins_db, fallen)
    depth = np.clip(depth, MIN_DEPTH_DB, MAX_DEPTH_DB)
    return AftersoundTargets(
        np.where(included, depth, 0.0), np.where(measured, 60.0 / falls_db_per_s, 0.0)
    )


def energy_correction_db(level_db: Tensor, median: Aftersound) -> Tensor:
    """Estimate by how much the energy of a note's aftersound exceeds that at the median levels.

    Levels that are uncertain carry more energy than their medians, since the loud ones make up
    the sum. For an uncertainty of about 12 dB, as here, the sum of a number of partials exceeds
    the sum of their medians by about the level of that number.

    Parameters
    ----------
    level_db : tensor, shape (partials,)
        Levels at the end of the prime (dB).
    median : Aftersound
        Predicted aftersounds, too weak as often as too strong.

    Returns
    -------
    tensor, scalar
        dB; :data:`ENERGY_CORRECTION_DB` for a single partial.
    """
    energy = 10 ** ((level_db - median.depth_db) / 10) * median.log_t60.exp()
    effective_count = energy.sum() ** 2 / (energy**2).sum().clamp(min=1e-30)
    return ENERGY_CORRECTION_DB + 10 * torch.log10(effective_count.clamp(min=1.0))


def two_stage_decay(
    t60: Array, depth_db: Array, aftersound_t60: Array
) -> tuple[Array, Array, Array]:
    """Find two stages of decay whose sum measures as one predicted decay time.

    The stages are in opposite phase, as strings are that have lost their common energy: where
    the first has fallen to the second the partial dips, and the line ends by which its decay is
    measured. So the second may be loud. The first is corrected until the sum measures right.

    Parameters
    ----------
    t60 : ndarray of float64, shape (partials,)
        Decay time that both together shall measure (s).
    depth_db, aftersound_t60 : ndarray of float64, shape (partials,)
        How much weaker the second is at the first envelope value (dB), and its T60 (s), at
        least ``t60``. Partials with a T60 under 0.25 s get no aftersound.

    Returns
    -------
    first, second : ndarray of float64, shape (partials,)
        T60 of both stages (s).
    amplitude : ndarray of float64, shape (partials,)
        Amplitude of the second, relative to the partial; it is subtracted from the first, which
        is larger by as much.
    """
    second = np.maximum(t60, aftersound_t60)
    fallen_db = 60 * FIRST_FRAME_SECONDS * (1 / t60 - 1 / second)
    depth = np.clip(depth_db, MIN_DEPTH_DB, MAX_DEPTH_DB) + fallen_db
    has_aftersound = (depth < MAX_DEPTH_DB) & (t60 > MIN_T60_WITH_AFTERSOUND)
    amplitude = np.where(has_aftersound, 10 ** (-depth / 20), 0.0)
    first = t60.copy()
    for _ in range(ITERATIONS):
        correction = t60 / _measured_t60(t60, first, second, amplitude)
        correction = np.where(np.isfinite(correction) & (correction > 0), correction, 1.0)
        first = np.clip(first * np.clip(correction, 0.5, 2.0), MIN_T60 / 2, MAX_T60)
    return first, second, amplitude


def _measured_t60(t60: Array, first: Array, second: Array, amplitude: Array) -> Array:
    """Measure the T60 of the sum of both stages (s), on a grid scaled by the predicted T60."""
    times = np.outer(t60, GRID) + FIRST_FRAME_SECONDS
    quick, slow = (10 ** (-3 * times / stage[:, np.newaxis]) for stage in (first, second))
    share = amplitude[:, np.newaxis]
    level_db = 20 * np.log10(np.abs((1 + share) * quick - share * slow) + 1e-9)
    in_steps = decay_times(level_db, np.full(len(level_db), -np.inf))
    return np.asarray(in_steps * t60 * (GRID[1] / STEP_SECONDS))


def _robust(error: Tensor) -> Tensor:
    """Compute the Huber loss of each error."""
    return nn.functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none")
