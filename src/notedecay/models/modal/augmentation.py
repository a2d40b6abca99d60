"""Augmentation by re-excited notes: the same modes, with other phases and amplitudes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal.windows import hann

from notedecay.models.baselines.esprit import Complex, synthesise
from notedecay.models.modal.demodulation import demodulate, matrix_pencil, pencil_poles
from notedecay.models.modal.partials import Array

WINDOW_SECONDS, STEP_SECONDS = 0.1, 0.01
ATTACK_SECONDS = 0.03
"""Beginning of a note that the fit of modes leaves out (s)."""
RANGE_DB, FLOOR_PERCENTILE, ABOVE_FLOOR_DB = 45.0, 5.0, 8.0
"""The fit ends this far under the partial's loudest, or this close to its floor."""
MIN_STEPS, MAX_STEPS = 25, 100
"""Times of a partial's decay from which its modes are estimated."""
MAX_MODES, MIN_WEIGHT = 4, 3e-3
"""Modes of a partial, and the smallest singular value of one, relative to the largest."""
MAX_DISTANCE_HZ, MAX_GROWTH, MAX_DAMPING = 4.0, 0.5, 25.0
"""Distance from the partial (Hz), growth and damping (1/s) up to which a pole is a mode."""
MIN_DAMPING = 0.05
"""Damping (1/s) of a mode that does not decay by itself."""
MAX_UNEXPLAINED = 0.3
"""Share of a partial's amplitude that its modes may leave unexplained."""
ONSET_SECONDS = 0.01
PHASE_STD, LOG_AMPLITUDE_STD = 0.3, 0.15
"""Standard deviations of the change in a mode's phase (rad) and log amplitude."""


class Modes(NamedTuple):
    """Damped sinusoids of a note, several to each partial that beats.

    Attributes
    ----------
    pole : ndarray of complex128, shape (modes,)
        ``-damping + 1j * angular_frequency`` (1/s).
    amplitude : ndarray of complex128, shape (modes,)
        Complex amplitude at the first sample: a mode is the real part.
    """

    pole: Complex
    amplitude: Complex


NO_MODES = Modes(np.zeros(0, np.complex128), np.zeros(0, np.complex128))


def fit_modes(samples: Array, rate: int, frequency_hz: Array) -> Modes:
    """Decompose the partials of a whole note into the modes that beat in them.

    A note sounds on one to three strings, and each vibrates in two directions. How these modes
    add up, hence how a partial decays, differs from one excitation to the next.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A note from its onset.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies of its partials (Hz).

    Returns
    -------
    Modes
        Of the partials that a few modes explain; none of the others.
    """
    length = round(WINDOW_SECONDS * rate)
    starts = np.arange(round(ATTACK_SECONDS * rate), len(samples) - length, STEP_SECONDS * rate)
    starts = np.rint(starts).astype(np.intp)
    found = [NO_MODES]
    if len(starts) >= MIN_STEPS:
        amplitudes = demodulate(samples, rate, frequency_hz, starts, length)
        times = starts / rate
        found += [
            _modes(z, times, 2 * np.pi * frequency, length / rate)
            for z, frequency in zip(amplitudes, frequency_hz, strict=True)
        ]
    return Modes(*(np.concatenate(column) for column in zip(*found, strict=True)))


def re_excite(samples: Array, rate: int, modes: Modes, rng: np.random.Generator) -> Array:
    """Change the phases and amplitudes of a note's modes, as another excitation would.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A note from its onset.
    rate : int
        Hz.
    modes : Modes
        From :func:`fit_modes`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (samples,)
        The note with its modes changed and all else as it was.
    """
    phase, log_gain = rng.normal(0, ((PHASE_STD,), (LOG_AMPLITUDE_STD,)), (2, len(modes.pole)))
    change = modes.amplitude * (np.exp(log_gain + 1j * phase) - 1)
    onset = np.minimum(np.arange(len(samples)) / (ONSET_SECONDS * rate), 1.0)
    return samples + onset * synthesise(np.exp(modes.pole / rate), change, len(samples))


def _modes(z: Complex, times: Array, angular: float, window_seconds: float) -> Modes:
    """Fit modes to the decay of one demodulated partial; none where they explain too little."""
    z = z[: _decay_length(z)]
    if len(z) < MIN_STEPS:
        return NO_MODES
    pole = _poles(z)
    if not len(pole):
        return NO_MODES
    shapes = np.exp(np.outer(times[: len(z)], pole))
    amplitude = np.linalg.lstsq(shapes, z, rcond=None)[0]
    if np.linalg.norm(z - shapes @ amplitude) > MAX_UNEXPLAINED * np.linalg.norm(z):
        return NO_MODES
    return Modes(pole + 1j * angular, amplitude / _window_gain(pole, window_seconds))


def _decay_length(z: Complex) -> int:
    """Count the steps until a partial is far under its loudest, or near its floor.

    The floor is a low percentile of the level, whether or not the partial reaches any noise. So
    in a short note a partial that falls by little more than 8 dB is cut after a few steps, too
    few for a fit: such partials get no modes, and are not augmented.
    """
    level_db = 20 * np.log10(np.abs(z) + 1e-9)
    end_db = max(
        level_db.max() - RANGE_DB, np.percentile(level_db, FLOOR_PERCENTILE) + ABOVE_FLOOR_DB
    )
    loudest = int(level_db.argmax())
    below = np.flatnonzero(level_db[loudest:] < end_db)
    return loudest + int(below[0]) if len(below) else len(z)


def _poles(z: Complex) -> Complex:
    """Estimate damping and frequency of each mode, relative to the partial's (1/s)."""
    every = max(1, len(z) // MAX_STEPS)
    weight, space = matrix_pencil(z[np.newaxis, ::every])
    count = max(1, int((weight[0, :MAX_MODES] > MIN_WEIGHT * weight[0, 0]).sum()))
    pole = pencil_poles(space[:, :count], every * STEP_SECONDS)[0]
    likely = np.abs(pole.imag) < 2 * np.pi * MAX_DISTANCE_HZ
    likely &= (pole.real < MAX_GROWTH) & (pole.real > -MAX_DAMPING)
    return np.asarray(np.minimum(pole.real[likely], -MIN_DAMPING) + 1j * pole.imag[likely])


def _window_gain(pole: Complex, seconds: float) -> Complex:
    """Compute the factor by which the demodulation's window scales a mode's amplitude."""
    at = np.arange(256) / 256
    window = hann(256, sym=False)
    return np.asarray(np.exp(np.outer(pole, at * seconds)) @ window / window.sum())
