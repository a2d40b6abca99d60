"""Partials of a prime: their frequencies, and their levels and phases at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.signal.windows import hann

from notedecay.metrics.spectra import parabolic_peaks

Array = NDArray[np.float64]

PEAK_SECONDS, PADDED = 0.25, 4
"""End of the prime whose spectrum is searched for peaks (s), and its zero-padding factor."""
PEAK_SPACING_HZ, PEAK_RANGE_DB, PROMINENCE_DB = 20.0, 70.0, 6.0
MAX_PARTIALS = 64
"""The strongest are kept."""
FIT_SECONDS, FIT_STEPS = 0.12, 3
"""End of the prime to which sinusoids are fitted (s), and Gauss-Newton steps."""
MIN_SAMPLES = 64
"""A shorter prime has no partials."""

INITIAL_DAMPING, MIN_DAMPING, MAX_DAMPING = 2.0, -5.0, 60.0
"""Damping of the fit (1/s): at its start, and its bounds."""
MAX_STEP_HZ, MAX_STEP_DAMPING, MAX_DRIFT_HZ = 2.0, 4.0, 3.0
"""Bounds of one step, and of how far the fit may move from its peak."""


@dataclass(frozen=True)
class Partials:
    """Partials of a prime, from low to high.

    Attributes
    ----------
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies (Hz).
    amplitude : ndarray of complex128, shape (partials,)
        Complex amplitude at the first sample after the prime: the partial is the real part.
    damping : ndarray of float64, shape (partials,)
        Damping at the end of the prime (1/s), -5 to 60; too uncertain to extrapolate by.
    """

    frequency_hz: Array
    amplitude: NDArray[np.complex128]
    damping: Array

    def __len__(self) -> int:
        return len(self.frequency_hz)


def find_partials(prime: Array, rate: int) -> Partials:
    """Find the partials in the last quarter of a second and fit damped sinusoids to them.

    Peaks of the spectrum give the frequencies; a few Gauss-Newton steps over the last 120 ms
    move frequency and damping; the amplitudes are the least-squares fit.

    Parameters
    ----------
    prime : ndarray of float64, shape (samples,)
        Peak 1, or silence.
    rate : int
        Hz.

    Returns
    -------
    Partials
        Up to 64, within 70 dB of the strongest; none for silence.
    """
    if len(prime) < MIN_SAMPLES or not prime.any():
        none = np.zeros(0)
        return Partials(none, none.astype(np.complex128), none)
    return _fit(prime[-round(FIT_SECONDS * rate) :], rate, _peaks(prime, rate))


def _peaks(prime: Array, rate: int) -> Array:
    """Find the frequencies of the strongest peaks of the prime's end (Hz), from low to high."""
    end = prime[-round(PEAK_SECONDS * rate) :]
    window = hann(len(end), sym=False)
    size = 2 ** int(np.ceil(np.log2(PADDED * len(end))))
    level = 20 * np.log10(np.abs(np.fft.rfft(end * window, size)) + 1e-12)
    spacing = max(1.0, PEAK_SPACING_HZ * size / rate)
    found, _ = find_peaks(
        level, height=level.max() - PEAK_RANGE_DB, prominence=PROMINENCE_DB, distance=spacing
    )
    found = found[np.argsort(-level[found], kind="stable")][:MAX_PARTIALS]
    return np.sort(parabolic_peaks(level, found)[0] * rate / size)


def _fit(end: Array, rate: int, peaks: Array) -> Partials:
    """Fit damped sinusoids that start at the frequencies of the peaks."""
    count = len(peaks)
    times = np.arange(-len(end), 0)[:, np.newaxis] / rate
    angular, damping = 2 * np.pi * peaks, np.full(count, INITIAL_DAMPING)
    shapes, amplitude = _amplitudes(end, times, angular, damping)
    for _ in range(FIT_STEPS if count else 0):
        damping_step, angular_step = _step(end, times, shapes, amplitude)
        damping = np.clip(damping + damping_step, MIN_DAMPING, MAX_DAMPING)
        angular = angular + angular_step
        shapes, amplitude = _amplitudes(end, times, angular, damping)
    frequency_hz = angular / (2 * np.pi)
    drifted = np.abs(frequency_hz - peaks) > MAX_DRIFT_HZ
    return Partials(np.where(drifted, peaks, frequency_hz), amplitude, damping)


def _amplitudes(
    end: Array, times: Array, angular: Array, damping: Array
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Compute the sinusoids, shape (samples, partials), and their least-squares amplitudes."""
    shapes = np.exp(times * (1j * angular - damping))
    columns = np.hstack([shapes.real, -shapes.imag])
    real, imaginary = np.split(_solve(columns, end, 1e-6), 2)
    return shapes, real + 1j * imaginary


def _step(
    end: Array,
    times: Array,
    shapes: NDArray[np.complex128],
    amplitude: NDArray[np.complex128],
) -> tuple[Array, Array]:
    """Compute one bounded Gauss-Newton step of damping (1/s) and frequency (rad/s)."""
    parts = shapes * amplitude
    error = end - parts.real.sum(axis=1)
    slopes = np.hstack([-(times * parts).real, -(times * parts).imag])
    columns = np.hstack([shapes.real, -shapes.imag, slopes])
    damping, angular = np.split(_solve(columns, error, 1e-6)[2 * len(amplitude) :], 2)
    limit = 2 * np.pi * MAX_STEP_HZ
    return (
        np.clip(damping, -MAX_STEP_DAMPING, MAX_STEP_DAMPING),
        np.clip(angular, -limit, limit),
    )


def _solve(columns: Array, target: Array, ridge: float) -> Array:
    """Solve least squares with columns of any scale, with a ridge relative to each."""
    norms = np.linalg.norm(columns, axis=0) + 1e-12
    scaled = columns / norms
    gram = scaled.T @ scaled + ridge * np.eye(len(norms))
    return np.asarray(np.linalg.solve(gram, scaled.T @ target) / norms)
