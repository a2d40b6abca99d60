"""Schroeder's curve, and why it must not judge a decay.

The curve integrates the energy backwards from the end of the signal. A room's response fades
into nothing, so there the integral follows the decay. A note cut after a few seconds does not:
its curve falls to nothing at the cut whatever the note does, and a tone that never decays gets
a plausible T60 of 1.6 times the length of the recording. It is here because the literature uses
it. To judge, take the slope of each partial, :func:`notedecay.metrics.decay_times`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.spectra import Array, decibels

READ_FROM_DB, READ_TO_DB = -5.0, -25.0
FEWEST_POINTS = 3


def schroeder_db(samples: NDArray[np.floating]) -> Array:
    """Energy still to come at each sample, relative to all of it (hides a steady tone).

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A signal, 1 sample or more, finite.

    Returns
    -------
    ndarray of float64, shape (samples,)
        dB, 0 at the first sample and never rising; -200 throughout for silence.

    References
    ----------
    M. R. Schroeder, "New method of measuring reverberation time", JASA 37, 1965.
    """
    left = np.cumsum(np.asarray(samples, np.float64)[::-1] ** 2)[::-1]
    return decibels(left / max(float(left[0]), np.finfo(np.float64).tiny))


def schroeder_t60(samples: NDArray[np.floating], rate: int) -> float:
    """T60 from the line through Schroeder's curve between -5 and -25 dB. Never judge by it.

    A steady tone of n seconds gets about 1.6 n seconds here, not ``inf``; see the head of this
    module.

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A signal, 1 sample or more, finite.
    rate : int
        Hz.

    Returns
    -------
    float
        Seconds; ``nan`` for silence and for what falls through the range within 3 samples.

    References
    ----------
    ISO 3382-1:2009 (the range of T20).
    """
    curve = schroeder_db(samples)
    line = curve[(curve <= READ_FROM_DB) & (curve >= READ_TO_DB)]
    if line.size < FEWEST_POINTS:
        return float("nan")
    t = (np.arange(line.size) - (line.size - 1) / 2.0) / rate
    return 60.0 * float(t @ t) / -float(t @ line)
