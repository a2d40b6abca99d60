"""Complex demodulation of partials, and the modes (damped sinusoids) within one partial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.decay import heterodyne_kernel
from notedecay.models.baselines.esprit import Complex
from notedecay.models.modal.partials import Array


def demodulate(
    samples: Array, rate: int, frequency_hz: Array, starts: NDArray[np.intp], length: int
) -> Complex:
    """Demodulate each partial: its complex amplitude over time, through Hann windows.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        Signal.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Frequencies that are shifted to 0 (Hz).
    starts : ndarray of int, shape (times,)
        First sample of each window.
    length : int
        Length of the windows (samples).

    Returns
    -------
    ndarray of complex128, shape (partials, times)
        Constant for a steady sinusoid of that frequency; the phase refers to the first sample.
    """
    kernel = heterodyne_kernel(rate, frequency_hz, length)
    shifted = np.lib.stride_tricks.sliding_window_view(samples, length)[starts] @ kernel
    return np.asarray((shifted * np.exp(-2j * np.pi * np.outer(starts / rate, frequency_hz))).T)


def matrix_pencil(z: Complex) -> tuple[Array, Complex]:
    """Decompose demodulated partials into orthogonal components, for :func:`pencil_poles`.

    Parameters
    ----------
    z : ndarray of complex128, shape (partials, times)
        From :func:`demodulate`, at equal steps.

    Returns
    -------
    weight : ndarray of float64, shape (partials, orders)
        Singular values, falling.
    space : ndarray of complex128, shape (partials, orders, times / 2 + 1)
        Right singular vectors.

    References
    ----------
    Y. Hua, T. Sarkar, "Matrix pencil method for estimating parameters of exponentially
    damped/undamped sinusoids in noise", IEEE Trans. ASSP 38(5), 1990.
    """
    shifted = np.lib.stride_tricks.sliding_window_view(z, z.shape[1] // 2 + 1, axis=1)
    _, weight, space = np.linalg.svd(shifted, full_matrices=False)
    return weight, space


def pencil_poles(space: Complex, step: float) -> Complex:
    """Estimate the modes of demodulated partials.

    Parameters
    ----------
    space : ndarray of complex128, shape (partials, modes, times)
        The first orders from :func:`matrix_pencil`, as many as there are modes.
    step : float
        Time step (s).

    Returns
    -------
    ndarray of complex128, shape (partials, modes)
        Growth rate plus ``1j`` times the angular frequency relative to the partial's (1/s).
    """
    before, after = space[..., :-1].swapaxes(1, 2), space[..., 1:].swapaxes(1, 2)
    rotation = np.linalg.eigvals(np.linalg.pinv(before) @ after)
    growth = np.log(np.maximum(np.abs(rotation), 1e-9))
    return np.asarray((growth + 1j * np.angle(rotation)) / step)
