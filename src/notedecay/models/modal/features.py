"""Features of each partial of a prime, from which the nets predict its decay."""

from __future__ import annotations

import numpy as np

from notedecay.models.modal.beat_features import beat_features
from notedecay.models.modal.demodulation import demodulate
from notedecay.models.modal.noise_floor import BANDS, noise_under_partials
from notedecay.models.modal.partials import Array, Partials

WINDOW_SECONDS, WINDOW_SHARE, STEPS = 0.1, 0.3, 24
"""Window over which a level is taken (s, and at most this share of the prime), and times."""
STRETCHES = (0.25, 0.4, 0.6, 0.85, 1.0)
"""Shares of the prime, counted from its end, over which slopes are taken."""
OCTAVES = (0.15, 0.5, 2.0)
"""Widths of the neighbourhoods whose mean slope is a feature (octaves)."""
MIN_AMPLITUDE = 1e-7
SLICES = 10
SLOPE_SCALE = 20.0
"""Slope (dB/s) up to which features are about linear; steeper ones count as their logarithm."""
OCTAVE_COLUMN, LEVEL_COLUMN = 0, 1
"""Columns of a partial's frequency (octaves from 440 Hz) and its level under the strongest."""
NEIGHBOUR_SLOPE_COLUMN = 22
"""Column of the mean slope within half an octave, over the last 0.4 of the prime.

Of all slopes it predicts the decay best by itself: that of a single partial is misled by beats."""
LEVEL_SCALE_DB = 20.0
"""Level that is 1 in the features (dB)."""
OVER_NOISE_BOUNDS = (-2.0, 6.0)
"""Bounds of the level over the noise; recordings of more are as good as without noise."""
REFERENCE_COLUMNS = 32
"""Columns by which notes are compared: those before the noise, which depends on the recording."""
PLAIN_COLUMNS = 33
"""Columns before those of :func:`notedecay.models.modal.beat_features.beat_features`."""


def partial_features(prime: Array, rate: int, partials: Partials) -> Array:
    """Describe each partial by its frequency, level, slopes, neighbours, note, noise and beats.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        Peak 1; 64 samples or more.
    rate : int
        Hz.
    partials : Partials
        Partials of the prime.

    Returns
    -------
    ndarray of float64, shape (partials, features)
        None depends on the prime's level.
    """
    times, levels = _levels(prime, rate, partials.frequency_hz)
    slopes = [_slope(times[-k:], levels[:, -k:]) for k in _counts(len(times))]
    columns = [
        *_partial_alone(levels, partials),
        *(_compress(slope) for slope in slopes),
        *_residuals(times, levels, slopes),
        *_neighbours(levels[:, -1], partials.frequency_hz, slopes),
        *(np.full(len(partials), value) for value in _note(prime, rate, levels, partials)),
        _over_noise(prime, rate, levels[:, -1], partials.frequency_hz),
    ]
    beats = beat_features(prime, rate, partials.frequency_hz)
    return np.hstack([np.stack(columns, axis=1), beats])


def feature_count() -> int:
    """Count the features of a partial."""
    silence = Partials(np.zeros(0), np.zeros(0, dtype=np.complex128), np.zeros(0))
    return len(partial_features(np.zeros(1000), 1000, silence).T)


def _levels(prime: Array, rate: int, frequency_hz: Array) -> tuple[Array, Array]:
    """Measure each partial's level over the prime: times (s), and dB, shape (partials, times)."""
    length = round(min(WINDOW_SECONDS, WINDOW_SHARE * len(prime) / rate) * rate)
    length = min(len(prime), max(4, length))
    starts = np.rint(np.linspace(0, len(prime) - length, STEPS)).astype(np.intp)
    amplitude = demodulate(prime, rate, frequency_hz, starts, length)
    return starts / rate, 20 * np.log10(np.abs(amplitude) + MIN_AMPLITUDE)


def _counts(times: int) -> list[int]:
    """Count the times in each of :data:`STRETCHES`."""
    return [max(3, round(share * times)) for share in STRETCHES]


def _slope(times: Array, levels: Array) -> Array:
    """Fit the least-squares slope of each row (dB/s)."""
    t = times - times.mean()
    return np.asarray(levels @ t / max(float(t @ t), 1e-12))


def _compress(slope: Array) -> Array:
    """Compress slopes (dB/s) so that steep ones count as their logarithm."""
    return np.arcsinh(slope / SLOPE_SCALE)


def _partial_alone(levels: Array, partials: Partials) -> list[Array]:
    """Describe a partial by frequency, level, damping, and its levels from attack to end."""
    last = levels[:, -1]
    times = np.linspace(0, STEPS - 4, 6).astype(int)
    return [
        np.log2(np.maximum(partials.frequency_hz, 1.0) / 440),
        (last - last.max(initial=-200.0)) / LEVEL_SCALE_DB,
        _compress(-8.686 * partials.damping),
        (levels.max(axis=1, initial=-200.0) - last) / 20,
        levels.argmax(axis=1) / STEPS,
        *np.clip((levels[:, times] - last[:, np.newaxis]) / 20, -2, 2).T,
    ]


def _residuals(times: Array, levels: Array, slopes: list[Array]) -> list[Array]:
    """Measure how far the level strays from its line: by beats, or a bend."""
    counts = _counts(len(times))
    found = []
    for stretch in (1, 3):
        t, line = times[-counts[stretch] :], levels[:, -counts[stretch] :]
        away = line - line.mean(axis=1, keepdims=True) - np.outer(slopes[stretch], t - t.mean())
        found.append(np.log(np.sqrt(np.mean(away**2, axis=1)) + 0.05))
    return found


def _neighbours(last: Array, frequency_hz: Array, slopes: list[Array]) -> list[Array]:
    """Describe the nearest partial by distance and level, and the mean slopes nearby."""
    if len(last) < 2:
        gap, louder = np.full(len(last), 10_000.0), np.zeros(len(last))
    else:
        apart = np.abs(frequency_hz[:, np.newaxis] - frequency_hz)
        np.fill_diagonal(apart, np.inf)
        gap, louder = apart.min(axis=1), (last[apart.argmin(axis=1)] - last) / 20
    octaves = np.log2(np.maximum(frequency_hz, 1.0))
    octaves = octaves[:, np.newaxis] - octaves
    weight = 10 ** (np.clip(last - last.max(initial=-200.0), -60, 0) / 40)
    found = [np.log2(np.clip(gap, 1.0, 10_000.0) / 50), np.clip(louder, -3, 3)]
    for width in OCTAVES:
        near = np.exp(-0.5 * (octaves / width) ** 2) * weight
        for stretch in (1, 3):
            mean = near @ np.clip(slopes[stretch], -200, 60) / np.maximum(near.sum(axis=1), 1e-12)
            found.append(_compress(mean))
    return found


def _note(prime: Array, rate: int, levels: Array, partials: Partials) -> list[float]:
    """Describe the whole note by slopes, attack, brightness at both ends, and partial count."""
    slices = np.array_split(prime, SLICES)
    energy: Array = np.array([10 * np.log10(np.mean(s**2) + 1e-12) for s in slices])
    step = len(prime) / rate / SLICES
    slopes = [
        _compress(_slope(step * np.arange(k, dtype=np.float64), energy[np.newaxis, -k:]))[0]
        for k in (4, 8)
    ]
    bright = [_centroid(levels[:, k], partials.frequency_hz) for k in (0, -1)]
    drop = float(energy.max() - energy[-1]) / 20
    return [*slopes, drop, *bright, float(np.log2(1 + len(levels)))]


def _over_noise(prime: Array, rate: int, last: Array, frequency_hz: Array) -> Array:
    """Measure how far each partial stands over the noise, which ends its audible decay."""
    position = frequency_hz / (rate / 2) * (BANDS - 1)
    noise_db = np.interp(position, np.arange(BANDS), noise_under_partials(prime, rate))
    return np.clip((last - noise_db) / LEVEL_SCALE_DB, *OVER_NOISE_BOUNDS)


def _centroid(levels: Array, frequency_hz: Array) -> float:
    """Compute the spectral centroid of the partials, in octaves from 440 Hz."""
    energy = 10 ** (levels / 10)
    mean = float(energy @ frequency_hz) / max(float(energy.sum()), 1e-300)
    return float(np.log2(max(mean, 1.0) / 440))
