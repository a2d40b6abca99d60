"""How sure a mean over notes is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over notes, and where it would lie for other notes of the kind.

    Attributes
    ----------
    mean, low, high : float
        NaN where nothing is known.
    """

    mean: float
    low: float
    high: float

    @property
    def by_chance(self) -> bool:
        """Whether it may as well be 0."""
        return not (self.low > 0.0 or self.high < 0.0)


def bootstrap(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Mean over notes with the percentiles of its bootstrap, 95 % between them.

    Parameters
    ----------
    values : sequence of float
        One for each note; NaN is left out.

    Returns
    -------
    Interval
        The same values give the same.
    """
    every = np.asarray(values, np.float64)
    known = every[np.isfinite(every)]
    if not known.size:
        return Interval(np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(0).integers(known.size, size=(DRAWS, known.size))
    edges = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(known[drawn].mean(axis=1), edges)
    return Interval(float(known.mean()), float(low), float(high))
