"""Baseline: linear prediction with Burg's coefficients, extrapolated beyond the prime."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from notedecay.audio.prediction import extrapolate
from notedecay.audio.samples import Samples
from notedecay.models.base import Continuator, ContinuatorConfig

ROUNDING_ENERGY = 1e-12
"""Share of the energy (-120 dB) below which the prediction error is rounding, not sound."""


class BurgConfig(ContinuatorConfig):
    """Settings of :class:`Burg`.

    Attributes
    ----------
    order : int
        Coefficients of the predictor; at most a third of the prime's samples are used.
    """

    order: int = Field(default=512, ge=2, le=4096)


class Burg(Continuator[BurgConfig]):
    """Linear prediction with Burg's coefficients, extrapolated beyond the prime.

    References
    ----------
    J. P. Burg, "Maximum entropy spectral analysis", 37th meeting of the Society of
    Exploration Geophysicists, 1967. I. Kauppinen, K. Roth, "Audio signal extrapolation",
    DAFx 2002.

    Examples
    --------
    >>> from notedecay.models import Signal, create
    >>> signal = Signal(instrument="piano", rate=4000)
    >>> tone = np.sin(2 * np.pi * 220 * np.arange(2000) / 4000).astype(np.float32)
    >>> made = create("burg", signal, {}).continue_prime(tone[:1320], 680)
    >>> bool(np.abs(made - tone[1320:]).max() < 0.01)
    True
    """

    name: ClassVar[str] = "burg"
    Config: ClassVar[type[ContinuatorConfig]] = BurgConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Predict each sample from the ``order`` samples before it."""
        x = prime.astype(np.float64)
        peak = np.max(np.abs(x), initial=0.0)
        if peak == 0:
            return np.zeros(samples, dtype=np.float32)
        order = min(self.config.order, len(x) // 3)
        continuation = peak * extrapolate(x / peak, burg(x / peak, order), samples)
        return np.asarray(continuation, dtype=np.float32)


def burg(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Estimate the coefficients of linear prediction by Burg's method.

    The energies are summed anew at each order: librosa's recursion for them loses all its
    digits on a note without noise.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        Signal.
    order : int
        Number of coefficients, below n; fewer differ from 0 where the signal needs fewer.

    Returns
    -------
    ndarray of float64, shape (order + 1,)
        Denominator of a stable all-pole filter, beginning with 1.

    Examples
    --------
    >>> tone = np.cos(0.3 * np.arange(400))
    >>> burg(tone, 2).round(2).tolist()  # 1, -2 cos 0.3, 1
    [1.0, -1.91, 1.0]
    """
    a = np.zeros(order + 1)
    a[0] = 1.0
    forward, backward = x[1:], x[:-1]
    enough = ROUNDING_ENERGY * np.square(x).sum()
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
