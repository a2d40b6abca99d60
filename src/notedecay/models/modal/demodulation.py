"""How partials move: their amplitude and phase over time, and the modes in that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.decay import heterodyne_kernel
from notedecay.models.baselines.esprit import Complex
from notedecay.models.modal.partials import Array


def movement(
    samples: Array, rate: int, frequency_hz: Array, starts: NDArray[np.intp], length: int
) -> Complex:
    """Heterodyne each partial through Hann windows.

    Parameters
    ----------
    samples : ndarray of float64, shape (samples,)
        A signal.
    rate : int
        Hz.
    frequency_hz : ndarray of float64, shape (partials,)
        Where to listen (Hz).
    starts : ndarray of int, shape (times,)
        Of the windows (samples).
    length : int
        Of each (samples).

    Returns
    -------
    ndarray of complex128, shape (partials, times)
        A partial that holds stands still; the phase is that at the first sample.
    """
    kernel = heterodyne_kernel(rate, frequency_hz, length)
    heard = np.lib.stride_tricks.sliding_window_view(samples, length)[starts] @ kernel
    return np.asarray((heard * np.exp(-2j * np.pi * np.outer(starts / rate, frequency_hz))).T)


def pencil(z: Complex) -> tuple[Array, Complex]:
    """Take movements apart by how much goes on in them, for :func:`poles`.

    Parameters
    ----------
    z : ndarray of complex128, shape (partials, times)
        From :func:`movement`, at equal steps.

    Returns
    -------
    weight : ndarray of float64, shape (partials, orders)
        How much of the movement each order makes, falling.
    space : ndarray of complex128, shape (partials, orders, times / 2 + 1)
        What it is.

    References
    ----------
    Y. Hua, T. Sarkar, "Matrix pencil method for estimating parameters of exponentially
    damped/undamped sinusoids in noise", IEEE Trans. ASSP 38(5), 1990.
    """
    moved = np.lib.stride_tricks.sliding_window_view(z, z.shape[1] // 2 + 1, axis=1)
    _, weight, space = np.linalg.svd(moved, full_matrices=False)
    return weight, space


def poles(space: Complex, step: float) -> Complex:
    """Find the modes of movements.

    Parameters
    ----------
    space : ndarray of complex128, shape (partials, modes, times)
        The first orders of :func:`pencil`, as many as there are modes.
    step : float
        Between the times (s).

    Returns
    -------
    ndarray of complex128, shape (partials, modes)
        Growth, and the way from the partial's frequency as an angle (1/s).
    """
    before, after = space[..., :-1].swapaxes(1, 2), space[..., 1:].swapaxes(1, 2)
    turn = np.linalg.eigvals(np.linalg.pinv(before) @ after)
    growth = np.log(np.maximum(np.abs(turn), 1e-9))
    return np.asarray((growth + 1j * np.angle(turn)) / step)
