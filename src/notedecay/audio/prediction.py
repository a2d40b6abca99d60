"""Linear prediction: a sound's own resonances ring on.

References
----------
J. P. Burg, "Maximum entropy spectral analysis", 37th meeting of the Society of Exploration
Geophysicists, 1967. I. Kauppinen, K. Roth, "Audio signal extrapolation", DAFx 2002.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, lfiltic

from notedecay.notes.note import Samples

LOUDEST = 2.0
"""How far above the prime's peak a continuation may rise before it counts as running away."""

PREDICTED = 1e-12
"""Share of the energy (-120 dB) under which what is left to predict is rounding, not sound."""


def continued(x: Samples, samples: int, *, order: int) -> Samples:
    """Continue a sound by what Burg's method finds in it.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)
        The sound so far.
    samples : int
        How many to add.
    order : int
        Coefficients of the predictor; at most a third of ``x`` is used.

    Returns
    -------
    ndarray of float32, shape (samples,)
        What follows ``x``.
    """
    known = x.astype(np.float64)
    peak = np.max(np.abs(known), initial=0.0)
    if peak == 0:
        return np.zeros(samples, dtype=np.float32)
    coefficients = burg(known / peak, min(order, len(x) // 3))
    return np.asarray(peak * extrapolate(known / peak, coefficients, samples), dtype=np.float32)


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


def extrapolate(
    x: NDArray[np.float64], coefficients: NDArray[np.float64], samples: int
) -> NDArray[np.float64]:
    """Run an all-pole filter on from the end of a signal, without input.

    Burg's poles lie inside the unit circle, but of hundreds some lie so near to it that
    rounding can push them out: then all are drawn inwards, further until nothing runs away.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        What came before, n at least the filter's order.
    coefficients : ndarray of float64, shape (order + 1,)
        The filter's denominator, beginning with 1.
    samples : int
        How many to make.

    Returns
    -------
    ndarray of float64, shape (samples,)
    """
    limit = LOUDEST * np.max(np.abs(x))
    radius = 1.0
    while True:
        a = coefficients * radius ** np.arange(len(coefficients))
        with np.errstate(over="ignore", invalid="ignore"):
            start = lfiltic([1.0], a, x[::-1])
            y: NDArray[np.float64] = lfilter([1.0], a, np.zeros(samples), zi=start)[0]
        if np.all(np.abs(y) <= limit):
            return y
        radius -= max(1e-5, 1 - radius)
