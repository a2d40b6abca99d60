"""Beating: the level of a partial that swings, because two modes lie a few hertz apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from notedecay.metrics.decay import STEP_SECONDS, WINDOW_SECONDS
from notedecay.metrics.spectra import Array
from notedecay.metrics.stages import Stages, fit_stages

FASTEST_HZ = 10.0
FEWEST_BEATS = 2.0
RATES_PER_BEAT = 8
LEAST_DEPTH_DB = 1.0
LEAST_SHARE = 0.5
CHANCE = 1e-3

FIRST_HARMONIC_DB = 20.0 / np.log(10.0)
STRONGEST_RATIO = 0.98


@dataclass(frozen=True)
class Beating:
    """A regular swing of a partial's level around its decay.

    Attributes
    ----------
    rate_hz : float
        How often it swings: the distance of the two modes (Hz), 0..10.
    depth_db : float
        From trough to crest (dB), 1..40.
    """

    rate_hz: float
    depth_db: float


def beating(envelope_db: Array, stages: Stages | None = None) -> Beating | None:
    """Find the beating that is left of an envelope when its decay is taken off.

    Two modes of amplitudes 1 and r make a level whose first harmonic is 8.686 r dB and whose
    depth is 20 log10((1 + r) / (1 - r)) dB, so r and with it the depth follow from the sine
    that fits best.

    Parameters
    ----------
    envelope_db : ndarray of float64, shape (times,)
        Level of a partial every 10 ms, from :func:`notedecay.metrics.partial_envelopes`,
        finite. Its 100 ms window flattens the swing: by a fifth at 5 Hz, by half at 10 Hz.
    stages : Stages, optional
        Its decay from :func:`notedecay.metrics.fit_stages`, where already known.

    Returns
    -------
    Beating or None
        None where no sine of at least two beats explains half of what the decay leaves, or
        chance would do so once in a thousand notes, or the depth is under 1 dB.

    References
    ----------
    G. Weinreich, "Coupled piano strings", JASA 62, 1977 (beats of a partial's strings).
    """
    decay = stages or fit_stages(envelope_db)
    if decay is None:
        return None
    left = (envelope_db - decay.curve_db)[: decay.heard]
    seconds = left.size * STEP_SECONDS
    step_hz = 1.0 / (RATES_PER_BEAT * seconds)
    rates = np.arange(FEWEST_BEATS / seconds, FASTEST_HZ, step_hz)
    if not rates.size:
        return None
    fits = [_sine(left, float(rate)) for rate in rates]
    shares, amplitudes = np.array(fits).T
    best = int(shares.argmax())
    ratio = min(float(amplitudes[best]) / FIRST_HARMONIC_DB, STRONGEST_RATIO)
    depth_db = 20.0 * float(np.log10((1.0 + ratio) / (1.0 - ratio)))
    if depth_db < LEAST_DEPTH_DB or not _is_significant(float(shares[best]), seconds, rates.size):
        return None
    return Beating(rate_hz=_refined(shares, rates, best), depth_db=depth_db)


def _sine(left: Array, rate_hz: float) -> tuple[float, float]:
    """Share of the variance that a sine explains beside a straight line, and its amplitude."""
    t = np.arange(left.size) * STEP_SECONDS
    turn = 2.0 * np.pi * rate_hz * t
    line = np.column_stack([np.ones_like(t), t])
    both = np.column_stack([line, np.cos(turn), np.sin(turn)])
    without = left - line @ np.linalg.lstsq(line, left, rcond=None)[0]
    weights = np.linalg.lstsq(both, left, rcond=None)[0]
    rest = left - both @ weights
    energy = max(float(without @ without), 1e-12)
    return 1.0 - float(rest @ rest) / energy, float(np.hypot(weights[2], weights[3]))


def _is_significant(share: float, seconds: float, tried: int) -> bool:
    """F-test of the sine (rate and two weights), for as many rates as were tried."""
    independent = seconds / (WINDOW_SECONDS / 2) - 5.0
    if share < LEAST_SHARE or independent < 1.0:
        return False
    ratio = (share / 3.0) / max((1.0 - share) / independent, 1e-12)
    return bool(f_distribution.sf(ratio, 3, independent) * tried < CHANCE)


def _refined(shares: Array, rates: Array, best: int) -> float:
    """Rate at the top of the parabola through the best and its neighbours (Hz)."""
    if not 0 < best < rates.size - 1:
        return float(rates[best])
    left, middle, right = shares[best - 1 : best + 2]
    bend = max(2.0 * middle - left - right, 1e-12)
    return float(rates[best] + 0.5 * (right - left) / bend * (rates[1] - rates[0]))
