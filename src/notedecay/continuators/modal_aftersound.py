"""What partials fall to: after the decay that is heard first, a weaker and longer one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from notedecay.analysis.decay import FIT_RANGE_DB, STEP_SECONDS, is_judged
from notedecay.continuators.modal_analysis import Array
from notedecay.continuators.modal_decay import LONGEST

LOUD_DB = 40.0
"""Partials this far under the loudest tell of what the instrument's fall to."""
BENDS_DB = 10.0
"""One that ends this far over its line has bent."""
BOTTOMLESS_DB = 90.0
"""Depth of those that have not: they may yet."""
LATE_SHARE = 0.4
"""Of the envelope, at its end: how fast a partial that has bent falls there."""
DEPTH_SHARE, LEAST_DEPTH_DB = 0.3, 38.0
"""Share of the partials whose longer decay is no weaker; the least leaves room for the first."""


class Bends(NamedTuple):
    """What each partial falls to; arrays of shape (partials,)."""

    depth_db: Array
    """How much weaker the longer decay begins; 0 where it was not asked."""
    t60: Array
    """Of what follows (s); 0 where it has not bent."""


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
    depth = np.where(bent, np.maximum(envelopes_db[:, 0] - begins_db, 1.0), BOTTOMLESS_DB)
    return Bends(np.where(asked, depth, 0.0), np.where(bent, 60.0 / falls_db_per_s, 0.0))


def aftersound(depth_db: Tensor, t60: Tensor) -> tuple[float, float]:
    """What an instrument's partials fall to: how much weaker (dB), and its T60 (s).

    Parameters
    ----------
    depth_db, t60 : tensor, shape (...)
        Of all its partials, as :func:`bends` has them.
    """
    asked, bent = depth_db[depth_db > 0], t60[t60 > 0]
    if not len(bent):
        return BOTTOMLESS_DB, LONGEST
    depth = max(LEAST_DEPTH_DB, float(asked.quantile(DEPTH_SHARE)))
    return depth, float(bent.median())


def stages(t60: Tensor, depth_db: Tensor, after_t60: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Two stages of decay that fall their first 30 dB together in the time of one.

    Parameters
    ----------
    t60 : tensor, shape (partials,)
        Of the decay as it is judged (s).
    depth_db, after_t60 : tensor, shape ()
        From :func:`aftersound`.

    Returns
    -------
    first, second : tensor, shape (partials,)
        T60 of both stages (s).
    weaker : tensor, shape ()
        Amplitude of the second; the first has the rest.
    """
    weaker = torch.where(depth_db < BOTTOMLESS_DB, 10 ** (-depth_db / 20), 0.0)
    second = t60.maximum(after_t60)
    end = FIT_RANGE_DB / 60
    left = 10 ** (-3 * end) - weaker * 10 ** (-3 * end * t60 / second)
    return -3 * end * t60 / torch.log10(left / (1 - weaker)), second, weaker
