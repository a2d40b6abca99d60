"""Two-stage decay: a partial that falls fast first (prompt sound), then slowly (aftersound)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from notedecay.metrics.decay import (
    FLOOR_PERCENTILE,
    SLOWEST_FALL_DB_PER_S,
    SLOWEST_JUDGED_DB_PER_S,
    STEP_SECONDS,
    WINDOW_SECONDS,
)
from notedecay.metrics.spectra import Array, decibels

SILENT_DB = -100.0
ROUNDING_DB = 0.05
OUTLIER_DB = 3.0
TYPICAL_DB = 10.0
TOLERANCE = 1e-6
EQUAL = 1.02
FASTEST_DB_PER_S = 1000.0
CLEAR_OF_NOISE_DB = 10.0
FEWEST_POINTS = 20
KNEES = (0.1, 0.25, 0.5)

NEEDED_BIC = 10.0
"""Very strong evidence on the scale of Kass and Raftery."""
NEEDED_GAIN = 1.5
"""A beat or a glide bends any line a little; a second stage takes most of the distance away."""
NEEDED_RATIO = 1.5


@dataclass(frozen=True)
class Stages:
    """How a partial decays: by one exponential, or by two.

    Attributes
    ----------
    first_t60 : float
        Of the only stage, or of the faster of two (s); ``inf`` where the level holds.
    second_t60 : float or None
        Of the slower one (s); None where one stage explains the envelope.
    second_db : float or None
        Level of the slower stage relative to the faster at the first value (dB), or None.
    noise_db : float
        Constant level under both (dB); no more than a bound where none is heard.
    curve_db : ndarray of float64, shape (times,)
        The fitted decay without the noise (dB).
    """

    first_t60: float
    second_t60: float | None
    second_db: float | None
    noise_db: float
    curve_db: Array

    @property
    def two(self) -> bool:
        """Whether the second stage is justified."""
        return self.second_t60 is not None

    @property
    def heard(self) -> int:
        """How many of the first values the decay takes to sink within 10 dB of the noise."""
        clear = np.flatnonzero(self.curve_db > self.noise_db + CLEAR_OF_NOISE_DB)
        return int(clear[-1]) + 1 if clear.size else 0


def fit_stages(envelope_db: Array) -> Stages | None:
    """Fit one exponential and two to the envelope of a partial, and keep the better account.

    The stages are modes of one frequency and unknown phases, over a constant noise. The second
    is justified where it lowers the BIC by 10 or more and the RMS distance to two thirds, is
    1.5 times as slow as the first, itself falls by 3 dB/s or more, and comes to stand above the
    first before the noise does.

    Parameters
    ----------
    envelope_db : ndarray of float64, shape (times,)
        Level of a partial every 10 ms, from :func:`notedecay.metrics.partial_envelopes`,
        finite.

    Returns
    -------
    Stages or None
        None where there is nothing to fit: silence (under -100 dB), fewer than 20 values, or
        fewer than 20 that stand clear of the noise.

    References
    ----------
    G. Weinreich, "Coupled piano strings", JASA 62, 1977 (prompt sound and aftersound).
    R. E. Kass and A. E. Raftery, "Bayes factors", JASA 90, 1995 (the scale of BIC).
    """
    if len(envelope_db) < FEWEST_POINTS or envelope_db.max() < SILENT_DB:
        return None
    t = np.arange(len(envelope_db), dtype=np.float64) * STEP_SECONDS
    one = _best(t, envelope_db, _one_stage_starts(t, envelope_db))
    two = _best(t, envelope_db, _two_stage_starts(t, envelope_db))
    stages = _as_stages(two, t) if _is_justified(one, two, t, envelope_db) else _as_stages(one, t)
    return stages if stages.heard >= FEWEST_POINTS else None


@dataclass(frozen=True)
class _Fit:
    """Noise (dB), level and fall (dB, dB/s) of each stage, then, of two, how far they agree."""

    parameters: Array
    distance_db: float

    @property
    def stages(self) -> list[tuple[float, float]]:
        """Level at the first value (dB) and fall (dB/s) of each stage, the fastest first."""
        count = (len(self.parameters) - 1) // 2
        pairs = self.parameters[1 : 1 + 2 * count].reshape(count, 2)
        return sorted(((float(x), float(y)) for x, y in pairs), key=lambda pair: -pair[1])


def _decay(parameters: Array, t: Array) -> tuple[Array, Array]:
    """Amplitude of each stage, and its share in the power, shape (stages, times) both.

    The stages are modes of one frequency: their amplitudes add with a cosine of -1..1 between
    them, so the shares, which sum up to the power, hold half of what they have in common.
    """
    count = (len(parameters) - 1) // 2
    level, fall = parameters[1 : 1 + 2 * count].reshape(count, 2).T
    amplitude = 10 ** ((level[:, None] - fall[:, None] * t) / 20)
    cosine = parameters[-1] if count == 2 else 0.0
    agreement = cosine + (1.0 - cosine) * np.eye(count)
    return amplitude, amplitude * (agreement @ amplitude)


def _model_db(parameters: Array, t: Array) -> Array:
    """Stages and noise together (dB)."""
    return decibels(_decay(parameters, t)[1].sum(axis=0) + 10 ** (parameters[0] / 10))


def _slopes(parameters: Array, t: Array) -> Array:
    """Derivatives of the model, shape (times, parameters)."""
    amplitude, share = _decay(parameters, t)
    noise = 10 ** (parameters[0] / 10)
    power = share.sum(axis=0) + noise
    columns = [noise / power]
    for part in share / power:
        columns += [part, -t * part]
    if len(amplitude) == 2:
        columns.append(20.0 / np.log(10.0) * amplitude.prod(axis=0) / power)
    return np.column_stack(columns)


def _best(t: Array, envelope_db: Array, starts: list[list[float]]) -> _Fit:
    """Robust least squares in dB, from each start, with a noise that the data set."""
    lowest, highest = float(envelope_db.min()) - 40.0, float(envelope_db.max())

    def distances(parameters: Array) -> Array:
        return np.asarray(_model_db(parameters, t) - envelope_db)

    def slopes(parameters: Array) -> Array:
        return _slopes(parameters, t)

    two = len(starts[0]) == 5
    stage = [(lowest, highest + 20.0), (0.0, FASTEST_DB_PER_S)]
    bounds = [(lowest, highest), *stage] + ([*stage, (-1.0, 1.0)] if two else [])
    low, high = np.array(bounds).T
    fits = []
    for start in starts:
        guess = start + ([0.0] if two else [])
        found = least_squares(
            distances,
            np.clip(guess, low + 0.01, high - 0.01),
            jac=slopes,
            bounds=(low, high),
            loss="soft_l1",
            f_scale=OUTLIER_DB,
            ftol=TOLERANCE,
            xtol=TOLERANCE,
            x_scale=np.minimum(high - low, TYPICAL_DB),
        )
        fits.append(_Fit(found.x, float(np.sqrt(2.0 * found.cost / len(t)))))
    # Of equal accounts the first: a steady tone is no noise.
    enough = max(ROUNDING_DB, EQUAL * min(fit.distance_db for fit in fits))
    return next(fit for fit in fits if fit.distance_db <= enough)


def _line(t: Array, envelope_db: Array) -> list[float]:
    """Level at t = 0 (dB) and fall (dB/s, 0.1 or more) of the line through some values."""
    slope, level = np.polyfit(t, envelope_db, 1)
    return [float(level), max(float(-slope), SLOWEST_FALL_DB_PER_S)]


def _one_stage_starts(t: Array, envelope_db: Array) -> list[list[float]]:
    """One line through all without noise, then lines up to a few knees and noise after them."""
    noise = float(np.percentile(envelope_db, FLOOR_PERCENTILE))
    lines = [[noise, *_line(t[:n], envelope_db[:n])] for n in _knees(t)]
    return [[-np.inf, *_line(t, envelope_db)], *lines]


def _two_stage_starts(t: Array, envelope_db: Array) -> list[list[float]]:
    """Lines before and after a few knees."""
    noise = float(np.percentile(envelope_db, FLOOR_PERCENTILE))
    return [
        [noise, *_line(t[:n], envelope_db[:n]), *_line(t[n : 3 * n], envelope_db[n : 3 * n])]
        for n in _knees(t)
    ]


def _knees(t: Array) -> list[int]:
    return [max(3, round(share * len(t))) for share in KNEES]


def _is_justified(one: _Fit, two: _Fit, t: Array, envelope_db: Array) -> bool:
    """Whether the second stage is there, is a decay, and is heard."""
    (level_1, fall_1), (level_2, fall_2) = two.stages
    if fall_2 < SLOWEST_JUDGED_DB_PER_S or fall_1 < NEEDED_RATIO * fall_2 or level_2 > level_1:
        return False
    # Where the noise speaks both are wrong alike, and the gain would drown.
    heard = _as_stages(two, t).heard
    one_db, two_db = (_rms(_model_db(fit.parameters, t) - envelope_db, heard) for fit in (one, two))
    # The 100 ms window makes about every fifth value new.
    independent = heard * STEP_SECONDS / (WINDOW_SECONDS / 2)
    gain = one_db / two_db
    bic = 2.0 * independent * np.log(gain) - 3.0 * np.log(max(independent, 1.0))
    knee = (level_1 - level_2) / (fall_1 - fall_2)
    at_knee_db = level_2 - fall_2 * knee
    is_clear = knee < t[-1] and at_knee_db > two.parameters[0] + CLEAR_OF_NOISE_DB
    return bool(bic > NEEDED_BIC and gain > NEEDED_GAIN and is_clear)


def _rms(distances_db: Array, count: int) -> float:
    """RMS of the first distances (dB), no less than rounding."""
    mean = float(np.mean(distances_db[:count] ** 2)) if count else 0.0
    return max(float(np.sqrt(mean)), ROUNDING_DB)


def _as_stages(fit: _Fit, t: Array) -> Stages:
    (level_1, fall_1), *more = fit.stages
    return Stages(
        first_t60=60.0 / fall_1 if fall_1 > SLOWEST_FALL_DB_PER_S else float("inf"),
        second_t60=60.0 / more[0][1] if more else None,
        second_db=more[0][0] - level_1 if more else None,
        noise_db=float(fit.parameters[0]),
        curve_db=decibels(_decay(fit.parameters, t)[1].sum(axis=0)),
    )
