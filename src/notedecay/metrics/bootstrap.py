"""Confidence interval of a mean over notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over notes and the ends of its 95 % confidence interval.

    Attributes
    ----------
    mean, low, high : float
        NaN where no value is known.
    """

    mean: float
    low: float
    high: float

    @property
    def by_chance(self) -> bool:
        """Whether the interval holds 0, so that the mean may be 0 but for chance."""
        return not (self.low > 0.0 or self.high < 0.0)


def bootstrap(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Mean over notes with its 95 % interval by the percentile bootstrap.

    Parameters
    ----------
    values : sequence of float
        One for each note; NaN and infinite ones are left out.

    Returns
    -------
    Interval
        The same values always give the same interval: the seed is fixed.

    References
    ----------
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Examples
    --------
    The interval of a mean of 0s and 1s is that of a binomial share, 0.5 +- 1.96 * 0.05:

    >>> interval = bootstrap([0.0, 1.0] * 50)
    >>> interval.mean, round(interval.low, 2), round(interval.high, 2)
    (0.5, 0.4, 0.6)
    """
    every = np.asarray(values, np.float64)
    known = every[np.isfinite(every)]
    if not known.size:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(known.mean())
    if known.size == 1:
        return Interval(mean, mean, mean)
    found = scipy.stats.bootstrap(
        (known,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))
