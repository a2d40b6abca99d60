"""Notes as they would have sounded, had they been played again: the same modes, another stroke."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal.windows import hann

from notedecay.models.baselines.esprit import Complex, synthesise
from notedecay.models.modal.demodulation import movement, pencil, poles
from notedecay.models.modal.partials import Array

WINDOW_SECONDS, STEP_SECONDS = 0.1, 0.01
ATTACK_SECONDS = 0.03
"""Of a note, in which modes are not looked for."""
RANGE_DB, FLOOR_PERCENTILE, ABOVE_FLOOR_DB = 45.0, 5.0, 8.0
FEWEST_STEPS, MOST_STEPS = 25, 100
"""Of a partial's way down, from which its modes are told."""
MOST_MODES, FAINTEST_MODE = 4, 3e-3
"""Modes of a partial, and the least share of its strongest that one has in its movement."""
FURTHEST_HZ, GROWTH, DAMPING = 4.0, 0.5, 25.0
"""Distance from the partial, largest growth and damping (1/s) of what is taken for a mode."""
STEADY_DAMPING = 0.05
UNEXPLAINED = 0.3
"""Share of a partial's amplitude that its modes may leave unexplained."""
ONSET_SECONDS = 0.01
TURN, SWELL = 0.3, 0.15
"""Standard deviation of what another stroke changes in a mode's phase (rad) and log amplitude."""


class Modes(NamedTuple):
    """Damped sinusoids of a note, several to each partial that beats.

    Attributes
    ----------
    pole : ndarray of complex128, shape (modes,)
        Damping and frequency: ``-damping + 1j * angular`` (1/s).
    amplitude : ndarray of complex128, shape (modes,)
        At the first sample: a mode is the real part.
    """

    pole: Complex
    amplitude: Complex


NO_MODES = Modes(np.zeros(0, np.complex128), np.zeros(0, np.complex128))


def modes_of(samples: Array, rate: int, frequency_hz: Array) -> Modes:
    """Take the partials of a whole note apart into the modes that beat in them.

    Strings sound in pairs and triples, and each string up and down and from side to side. How
    they add up, hence how a partial dies away, differs from stroke to stroke.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A note from its onset.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Its partials (Hz).

    Returns
    -------
    Modes
        Of the partials that some modes explain; of the others none.
    """
    length = round(WINDOW_SECONDS * rate)
    starts = np.arange(round(ATTACK_SECONDS * rate), len(samples) - length, STEP_SECONDS * rate)
    starts = np.rint(starts).astype(np.intp)
    found = [NO_MODES]
    if len(starts) >= FEWEST_STEPS:
        way = movement(samples, rate, frequency_hz, starts, length)
        times = starts / rate
        found += [
            _modes(z, times, 2 * np.pi * frequency, length / rate)
            for z, frequency in zip(way, frequency_hz, strict=True)
        ]
    return Modes(*(np.concatenate(column) for column in zip(*found, strict=True)))


def played_again(samples: Array, rate: int, modes: Modes, chance: np.random.Generator) -> Array:
    """Let the modes of a note add up as another stroke might have it; all else stays.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A note from its onset.
    rate : int
        Hz.
    modes : Modes
        From :func:`modes_of`.
    chance : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (samples,)
    """
    turn, swell = chance.normal(0, ((TURN,), (SWELL,)), (2, len(modes.pole)))
    change = modes.amplitude * (np.exp(swell + 1j * turn) - 1)
    onset = np.minimum(np.arange(len(samples)) / (ONSET_SECONDS * rate), 1.0)
    return samples + onset * synthesise(np.exp(modes.pole / rate), change, len(samples))


def _modes(z: Complex, times: Array, angular: float, window_seconds: float) -> Modes:
    """Modes of one partial, from the way it goes down; none where they explain too little."""
    z = z[: _way_down(z)]
    if len(z) < FEWEST_STEPS:
        return NO_MODES
    pole = _poles(z)
    if not len(pole):
        return NO_MODES
    shapes = np.exp(np.outer(times[: len(z)], pole))
    amplitude = np.linalg.lstsq(shapes, z, rcond=None)[0]
    if np.linalg.norm(z - shapes @ amplitude) > UNEXPLAINED * np.linalg.norm(z):
        return NO_MODES
    return Modes(pole + 1j * angular, amplitude / _through_window(pole, window_seconds))


def _way_down(z: Complex) -> int:
    """Steps until a partial is far under its loudest, or near its floor."""
    level_db = 20 * np.log10(np.abs(z) + 1e-9)
    end_db = max(
        level_db.max() - RANGE_DB, np.percentile(level_db, FLOOR_PERCENTILE) + ABOVE_FLOOR_DB
    )
    loudest = int(level_db.argmax())
    below = np.flatnonzero(level_db[loudest:] < end_db)
    return loudest + int(below[0]) if len(below) else len(z)


def _poles(z: Complex) -> Complex:
    """Damping and distance from the partial of each of its modes (1/s)."""
    every = max(1, len(z) // MOST_STEPS)
    weight, space = pencil(z[np.newaxis, ::every])
    count = max(1, int((weight[0, :MOST_MODES] > FAINTEST_MODE * weight[0, 0]).sum()))
    pole = poles(space[:, :count], every * STEP_SECONDS)[0]
    likely = np.abs(pole.imag) < 2 * np.pi * FURTHEST_HZ
    likely &= (pole.real < GROWTH) & (pole.real > -DAMPING)
    return np.asarray(np.minimum(pole.real[likely], -STEADY_DAMPING) + 1j * pole.imag[likely])


def _through_window(pole: Complex, seconds: float) -> Complex:
    """What the window of the heterodyne makes of a mode's amplitude."""
    at = np.arange(256) / 256
    window = hann(256, sym=False)
    return np.asarray(np.exp(np.outer(pole, at * seconds)) @ window / window.sum())
