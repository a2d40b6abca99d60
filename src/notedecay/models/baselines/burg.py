"""Burg's linear prediction: the prime's own resonances ring on."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from notedecay.audio.prediction import extrapolate
from notedecay.audio.samples import Samples
from notedecay.models.base import Continuator, ContinuatorConfig

PREDICTED = 1e-12
"""Share of the energy (-120 dB) under which what is left to predict is rounding, not sound."""


class BurgConfig(ContinuatorConfig):
    """Settings of :class:`Burg`.

    Attributes
    ----------
    order : int
        Coefficients of the predictor; at most a third of the prime is used.
    """

    order: int = Field(default=512, ge=2, le=4096)


class Burg(Continuator[BurgConfig]):
    """Linear prediction with Burg's coefficients, run on beyond the prime.

    References
    ----------
    J. P. Burg, "Maximum entropy spectral analysis", 37th meeting of the Society of
    Exploration Geophysicists, 1967. I. Kauppinen, K. Roth, "Audio signal extrapolation",
    DAFx 2002.
    """

    name: ClassVar[str] = "burg"
    Config: ClassVar[type[ContinuatorConfig]] = BurgConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Predict sample after sample from the last ``order``."""
        x = prime.astype(np.float64)
        peak = np.max(np.abs(x), initial=0.0)
        if peak == 0:
            return np.zeros(samples, dtype=np.float32)
        order = min(self.config.order, len(x) // 3)
        following = peak * extrapolate(x / peak, burg(x / peak, order), samples)
        return np.asarray(following, dtype=np.float32)


def burg(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Find the coefficients of linear prediction by Burg's method.

    The energies are summed anew at each order: librosa's recursion for them loses all its
    digits on a note without noise.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        The signal.
    order : int
        How many coefficients, below n; fewer differ from 0 where the signal needs fewer.

    Returns
    -------
    ndarray of float64, shape (order + 1,)
        Denominator of a stable all-pole filter, beginning with 1.
    """
    a = np.zeros(order + 1)
    a[0] = 1.0
    forward, backward = x[1:], x[:-1]
    enough = PREDICTED * np.square(x).sum()
    for m in range(1, order + 1):
        energy = np.square(forward).sum() + np.square(backward).sum()
        if energy <= enough:
            break
        reflection = -2 * (forward @ backward) / energy
        a[: m + 1] += reflection * a[m::-1]
        forward, backward = (
            (forward + reflection * backward)[1:],
            (backward + reflection * forward)[:-1],
        )
    return a
