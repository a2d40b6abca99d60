"""The exponential fitted to the envelope of a whole note, as the paper does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.signal import hilbert
from scipy.signal.windows import hann

from notedecay.metrics.decay import SLOWEST_FALL_DB_PER_S
from notedecay.metrics.spectra import Array, frames

DB_PER_NEPER = 20.0 / np.log(10.0)

SMOOTHING_SECONDS = 0.05
STEP_SECONDS = 0.01
SHORTEST_SECONDS = 0.2
SILENT = 1e-5
AS_LARGE = 0.99

FASTEST_PER_S = 200.0
STARTS_PER_S = (0.5, 5.0, 50.0)


@dataclass(frozen=True)
class Exponential:
    """The curve ``a exp(-b t) + c`` through an envelope.

    Attributes
    ----------
    a : float
        What decays, at the start of the curve (full scale is 1), 0 or more.
    b : float
        Rate of decay (1/s), 0..200.
    c : float
        What stays: noise, hum (full scale is 1), 0 or more.
    start_seconds : float
        Where t is 0: the first value within 1 % of the largest (s into the signal).
    t60 : float
        Seconds for 60 dB of what decays, 60 / (8.686 b); ``inf`` where the curve falls by
        0.1 dB/s or less.
    residual : float
        RMS distance of envelope and curve over the envelope's largest value, 0 or more. Over
        0.05 the decay is no single exponential: do not read much into ``t60``.
    """

    a: float
    b: float
    c: float
    start_seconds: float
    t60: float
    residual: float


def hilbert_envelope(samples: NDArray[np.floating], rate: int) -> Array:
    """Magnitude of the analytic signal, smoothed by a 50 ms Hann window.

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A signal, finite.
    rate : int
        Hz, 100 or more.

    Returns
    -------
    ndarray of float64, shape (times,)
        Amplitude (full scale is 1) every 10 ms; the first value is centred 25 ms into the
        signal.
    """
    length = round(SMOOTHING_SECONDS * rate)
    # Zeros at the end, or the transform would join the note's end to its beginning.
    padded = np.pad(np.asarray(samples, np.float64), (0, length))
    magnitude = np.abs(np.asarray(hilbert(padded)))[: len(samples)]
    window = hann(length, sym=False)
    every = frames(magnitude, length, 1)
    steps = np.arange(int((len(every) - 1) / (STEP_SECONDS * rate)) + 1)
    cut = every[np.rint(steps * STEP_SECONDS * rate).astype(np.intp)]
    return np.asarray(cut @ (window / window.sum()))


def fit_exponential(samples: NDArray[np.floating], rate: int) -> Exponential | None:
    """Fit ``a exp(-b t) + c`` to the smoothed Hilbert envelope, from its crest on.

    One curve for all partials: where they decay at different speeds it follows the loudest
    at the start. For a decay to be judged by, take :func:`notedecay.metrics.decay_times`.

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A note, finite, full scale is 1.
    rate : int
        Hz, 100 or more.

    Returns
    -------
    Exponential or None
        None where there is nothing to fit: silence (under -100 dB re full scale), or less
        than 200 ms after the crest.

    References
    ----------
    F. Sander and P. Harder, "Learning the decay of a sound signal", 2016 (the curve and what
    it is fitted to).
    """
    envelope = hilbert_envelope(samples, rate)
    largest = float(envelope.max())
    # Of a tone that holds the very largest value may be the last.
    first = int(np.argmax(envelope >= AS_LARGE * largest))
    shape = envelope[first:] / max(largest, SILENT)
    if largest < SILENT or len(shape) * STEP_SECONDS < SHORTEST_SECONDS:
        return None
    t = np.arange(len(shape), dtype=np.float64) * STEP_SECONDS
    fits = [_fit(t, shape, start) for start in STARTS_PER_S]
    a, b, c = min(fits, key=lambda p: _residual(p, t, shape))
    return Exponential(
        a=a * largest,
        b=b,
        c=c * largest,
        start_seconds=first * STEP_SECONDS + SMOOTHING_SECONDS / 2,
        t60=float(60.0 / (DB_PER_NEPER * b)) if _falls(a, b, c, t[-1]) else float("inf"),
        residual=_residual((a, b, c), t, shape),
    )


def _fit(t: Array, shape: Array, start_per_s: float) -> tuple[float, float, float]:
    """Least squares from one guess of the rate, all parameters of the order of 1."""

    def distances(p: Array) -> Array:
        return np.asarray(p[0] * np.exp(-start_per_s * p[1] * t) + p[2] - shape)

    found = least_squares(
        distances,
        (0.9, 1.0, 0.05),
        bounds=((0.0, 0.0, 0.0), (4.0, FASTEST_PER_S / start_per_s, 1.0)),
    )
    a, share, c = (float(x) for x in found.x)
    return a, share * start_per_s, c


def _residual(p: tuple[float, float, float], t: Array, shape: Array) -> float:
    a, b, c = p
    return float(np.sqrt(np.mean((a * np.exp(-b * t) + c - shape) ** 2)))


def _falls(a: float, b: float, c: float, seconds: float) -> bool:
    """Whether the whole curve falls by more than 0.1 dB/s; a constant leaves ``b`` to chance."""
    end = a * np.exp(-b * seconds) + c
    return bool(DB_PER_NEPER * np.log((a + c) / max(end, SILENT)) > SLOWEST_FALL_DB_PER_S * seconds)
