"""Features of how a partial beats in the prime, and what one to three modes predict of it."""

from __future__ import annotations

import numpy as np

from notedecay.metrics.decay import decay_times
from notedecay.models.baselines.esprit import Complex
from notedecay.models.modal.demodulation import demodulate, matrix_pencil, pencil_poles
from notedecay.models.modal.mixture import MAX_T60, MIN_T60
from notedecay.models.modal.partials import Array

STEPS = 50
"""Times in the prime at which a partial is demodulated, from which its modes are estimated."""
WINDOWS = ((0.15, 0.09), (0.3, 0.0))
"""Length of the window, and what is left out of the attack, as shares of the prime."""
MODE_COUNTS = (1, 2, 3)
MIN_DAMPING, MAX_DAMPING = 0.12, 120.0
"""Bounds of a mode's damping (1/s)."""
PREDICTED_SECONDS, STEP_SECONDS, START_SECONDS = 4.0, 0.01, 0.05
"""Stretch after the prime over which modes are extrapolated: its end, step and start (s)."""
RANGE_DB = 55.0
"""Range below the loudest that counts in the decay time of extrapolated modes (dB)."""
DIP_SECONDS = 1.0
"""Stretch after the prime in which the deepest dip of two modes is taken (s)."""
MIN_AMPLITUDE = 1e-7


def beat_features(prime: Array, rate: int, frequency_hz: Array) -> Array:
    """Describe how each partial beats, and how one, two or three modes would continue it.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        At any level; 64 samples or more.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies of its partials (Hz).

    Returns
    -------
    ndarray of float64, shape (partials, features)
        None depends on the prime's level.
    """
    normal = prime / max(float(np.max(np.abs(prime))), 1e-30)
    columns = []
    for share, left_out in WINDOWS:
        z, step = _demodulated(normal, rate, frequency_hz, share, left_out)
        columns += [*_curvature(z, step), *_modes(z, step)]
    return np.stack(columns, axis=1)


def _demodulated(
    prime: Array, rate: int, frequency_hz: Array, share: float, left_out: float
) -> tuple[Complex, float]:
    """Demodulate each partial; complex amplitudes, shape (partials, STEPS), and time step (s)."""
    length = min(max(4, round(share * len(prime))), len(prime) - STEPS + 1)
    hop = max(1, (len(prime) - length - round(left_out * len(prime))) // (STEPS - 1))
    starts = len(prime) - length - hop * np.arange(STEPS)[::-1]
    return demodulate(prime, rate, frequency_hz, starts, length) + MIN_AMPLITUDE, hop / rate


def _curvature(z: Complex, step: float) -> list[Array]:
    """Fit parabolas to phase and log level over the prime; also the phase's residual."""
    times = step * np.arange(-STEPS + 1, 1)
    parabola = np.vander(times, 3)
    fit = np.linalg.pinv(parabola)
    phase, level = np.unwrap(np.angle(z), axis=1), np.log(np.abs(z))
    phase_fit, level_fit = phase @ fit.T, level @ fit.T
    late = times > 0.4 * times[0]
    late_fit = phase[:, late] @ np.linalg.pinv(np.vander(times[late], 2)).T
    residual = np.log(np.std(phase - phase_fit @ parabola.T, axis=1) + 1e-3)
    compressed = (
        phase_fit[:, 0],
        late_fit[:, 0] - phase_fit[:, 1],
        level_fit[:, 0],
        level_fit[:, 1],
    )
    return [*(np.arcsinh(value / 3) for value in compressed), residual]


def _modes(z: Complex, step: float) -> list[Array]:
    """Predict decay times from one to three modes fitted to each partial."""
    _, space = matrix_pencil(z)
    columns = []
    for count in MODE_COUNTS:
        pole = pencil_poles(space[:, :count], step)
        pole = np.clip(pole.real, -MAX_DAMPING, -MIN_DAMPING) + 1j * pole.imag
        amplitude, unexplained = _amplitudes(z, pole, step)
        level_db = _predicted_db(pole, amplitude)
        floor_db = level_db.max(axis=1, initial=-200) - RANGE_DB
        t60 = np.nan_to_num(decay_times(level_db, floor_db), nan=MAX_T60, posinf=MAX_T60)
        columns += [np.log(np.clip(t60, MIN_T60, MAX_T60)), np.log(unexplained + 1e-4)]
        if count == 2:
            columns += _pair(pole, amplitude, level_db)
    return columns


def _amplitudes(z: Complex, pole: Complex, step: float) -> tuple[Complex, Array]:
    """Fit the amplitude of each mode at the end of the prime; also the share left unexplained."""
    times = step * np.arange(-STEPS + 1, 1)
    shapes = np.exp(pole[:, np.newaxis] * times[:, np.newaxis])
    # Normalised, since a quickly damped mode, large at the start, would hide the slow ones.
    size = np.linalg.norm(shapes, axis=1, keepdims=True)
    amplitude = (np.linalg.pinv(shapes / size) @ z[..., np.newaxis])[..., 0] / size[:, 0]
    rest = z - (shapes @ amplitude[..., np.newaxis])[..., 0]
    return amplitude, np.linalg.norm(rest, axis=1) / np.linalg.norm(z, axis=1)


def _predicted_db(pole: Complex, amplitude: Complex) -> Array:
    """Extrapolate the modes: level of each partial after the prime (dB)."""
    times = np.arange(START_SECONDS, PREDICTED_SECONDS, STEP_SECONDS)
    ahead = amplitude[:, np.newaxis] @ np.exp(pole[..., np.newaxis] * times)
    return 20 * np.log10(np.abs(ahead[:, 0]) + 1e-9)


def _pair(pole: Complex, amplitude: Complex, level_db: Array) -> list[Array]:
    """Compare two modes: amplitude ratio, dampings, beat rate, and the depth of their dip."""
    order = np.argsort(-np.abs(amplitude), axis=1)
    loud, faint = (np.take_along_axis(np.abs(amplitude), order, axis=1)[:, k] for k in (0, 1))
    damping = np.take_along_axis(pole.real, order, axis=1)
    early = level_db[:, : round(DIP_SECONDS / STEP_SECONDS)]
    return [
        np.clip(np.log(faint / np.maximum(loud, 1e-12) + 1e-4), -5, 0),
        *np.arcsinh(damping).T,
        np.log(np.abs(pole[:, 0].imag - pole[:, 1].imag) + 0.1),
        np.clip((early.min(axis=1) - level_db[:, 0]) / 20, -3, 1),
    ]
