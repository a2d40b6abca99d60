"""What a net is told of each partial's own movement: how few modes that beat would go on."""

from __future__ import annotations

import numpy as np

from notedecay.metrics.decay import decay_times
from notedecay.models.baselines.esprit import Complex
from notedecay.models.modal.demodulation import movement, pencil, poles
from notedecay.models.modal.partials import Array

STEPS = 50
"""Of a partial's way through the prime, from which its modes are told."""
LOOKS = ((0.15, 0.09), (0.3, 0.0))
"""Length of the window and what is left out of the attack, in shares of the prime."""
MODES = (1, 2, 3)
SLOWEST, QUICKEST = 0.12, 120.0
"""Damping (1/s) that a mode may have."""
AHEAD_SECONDS, STEP_SECONDS, START_SECONDS = 4.0, 0.01, 0.05
DEPTH_DB = 55.0
SHORTEST, LONGEST = 0.02, 60.0
DIP_SECONDS = 1.0
SILENT = 1e-7


def beat_features(prime: Array, rate: int, frequency_hz: Array) -> Array:
    """Describe how each partial moves, and how one, two or three modes would go on.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        At any level; 64 samples or more.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Of its partials (Hz).

    Returns
    -------
    ndarray of float64, shape (partials, features)
        None depends on the prime's level.
    """
    normal = prime / max(float(np.max(np.abs(prime))), 1e-30)
    columns = []
    for share, left_out in LOOKS:
        z, step = _movement(normal, rate, frequency_hz, share, left_out)
        columns += [*_bends(z, step), *_modes(z, step)]
    return np.stack(columns, axis=1)


def _movement(
    prime: Array, rate: int, frequency_hz: Array, share: float, left_out: float
) -> tuple[Complex, float]:
    """Amplitude and phase of each partial, shape (partials, STEPS), and their distance (s)."""
    length = min(max(4, round(share * len(prime))), len(prime) - STEPS + 1)
    hop = max(1, (len(prime) - length - round(left_out * len(prime))) // (STEPS - 1))
    starts = len(prime) - length - hop * np.arange(STEPS)[::-1]
    return movement(prime, rate, frequency_hz, starts, length) + SILENT, hop / rate


def _bends(z: Complex, step: float) -> list[Array]:
    """How phase and level bend over the prime, and how far the phase strays."""
    times = step * np.arange(-STEPS + 1, 1)
    parabola = np.vander(times, 3)
    fit = np.linalg.pinv(parabola)
    phase, level = np.unwrap(np.angle(z), axis=1), np.log(np.abs(z))
    turn, fall = phase @ fit.T, level @ fit.T
    late = times > 0.4 * times[0]
    last = phase[:, late] @ np.linalg.pinv(np.vander(times[late], 2)).T
    strays = np.log(np.std(phase - turn @ parabola.T, axis=1) + 1e-3)
    soft = (turn[:, 0], last[:, 0] - turn[:, 1], fall[:, 0], fall[:, 1])
    return [*(np.arcsinh(value / 3) for value in soft), strays]


def _modes(z: Complex, step: float) -> list[Array]:
    """What one to three modes fitted to each partial would do."""
    _, space = pencil(z)
    columns = []
    for count in MODES:
        pole = poles(space[:, :count], step)
        pole = np.clip(pole.real, -QUICKEST, -SLOWEST) + 1j * pole.imag
        amplitude, unexplained = _amplitudes(z, pole, step)
        level_db = _ahead_db(pole, amplitude)
        floor_db = level_db.max(axis=1, initial=-200) - DEPTH_DB
        t60 = np.nan_to_num(decay_times(level_db, floor_db), nan=LONGEST, posinf=LONGEST)
        columns += [np.log(np.clip(t60, SHORTEST, LONGEST)), np.log(unexplained + 1e-4)]
        if count == 2:
            columns += _pair(pole, amplitude, level_db)
    return columns


def _amplitudes(z: Complex, pole: Complex, step: float) -> tuple[Complex, Array]:
    """Of each mode at the end of the prime, and the share that they leave unexplained."""
    times = step * np.arange(-STEPS + 1, 1)
    shapes = np.exp(pole[:, np.newaxis] * times[:, np.newaxis])
    # A mode that has all but died would hide, by its size at the start, those that ring on.
    size = np.linalg.norm(shapes, axis=1, keepdims=True)
    amplitude = (np.linalg.pinv(shapes / size) @ z[..., np.newaxis])[..., 0] / size[:, 0]
    rest = z - (shapes @ amplitude[..., np.newaxis])[..., 0]
    return amplitude, np.linalg.norm(rest, axis=1) / np.linalg.norm(z, axis=1)


def _ahead_db(pole: Complex, amplitude: Complex) -> Array:
    """Level of each partial after the prime, as its modes would have it."""
    times = np.arange(START_SECONDS, AHEAD_SECONDS, STEP_SECONDS)
    ahead = amplitude[:, np.newaxis] @ np.exp(pole[..., np.newaxis] * times)
    return 20 * np.log10(np.abs(ahead[:, 0]) + 1e-9)


def _pair(pole: Complex, amplitude: Complex, level_db: Array) -> list[Array]:
    """Of two modes: how unlike they are, and how deep they dip together."""
    order = np.argsort(-np.abs(amplitude), axis=1)
    loud, faint = (np.take_along_axis(np.abs(amplitude), order, axis=1)[:, k] for k in (0, 1))
    fall = np.take_along_axis(pole.real, order, axis=1)
    soon = level_db[:, : round(DIP_SECONDS / STEP_SECONDS)]
    return [
        np.clip(np.log(faint / np.maximum(loud, 1e-12) + 1e-4), -5, 0),
        *np.arcsinh(fall).T,
        np.log(np.abs(pole[:, 0].imag - pole[:, 1].imag) + 0.1),
        np.clip((soon.min(axis=1) - level_db[:, 0]) / 20, -3, 1),
    ]
