"""ESPRIT: a sum of damped sinusoids fitted to the prime, and run on."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from pydantic import Field
from scipy.signal import correlate

from notedecay.audio.samples import Samples
from notedecay.models.base import Continuator, ContinuatorConfig

WINDOW = 1024
"""Longest window of the analysis (samples); its cost grows with the cube."""

SYNTHESIS = 4096
"""Samples synthesised at a time, so that memory does not grow with the length."""

Complex = NDArray[np.complex128]


class EspritConfig(ContinuatorConfig):
    """Settings of :class:`Esprit`.

    Attributes
    ----------
    order : int
        Damped sinusoids.
    attack_seconds : float
        Beginning of the prime that is left out (s), since the attack is no sum of damped
        sinusoids; at most half of the prime is.
    """

    order: int = Field(default=48, ge=1, le=256)
    attack_seconds: float = Field(default=0.1, ge=0.0, le=2.5)


class Esprit(Continuator[EspritConfig]):
    """Damped sinusoids by rotational invariance, none of them allowed to grow."""

    name: ClassVar[str] = "esprit"
    Config: ClassVar[type[ContinuatorConfig]] = EspritConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Fit the prime behind its attack and synthesise what follows."""
        attack = min(round(self.config.attack_seconds * self.signal.rate), len(prime) // 2)
        ringing = prime[attack:]
        poles, amplitudes = fit_damped(ringing, self.config.order)
        following = amplitudes * poles ** len(ringing)
        return synthesise(poles, following, samples).astype(np.float32)


def fit_damped(samples: Samples, order: int) -> tuple[Complex, Complex]:
    """Fit a sum of damped sinusoids.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        The signal, any level.
    order : int
        Damped sinusoids; a signal of less than some 4 times as many samples gets fewer.

    Returns
    -------
    poles : ndarray of complex128, shape (p,)
        On or inside the unit circle, two for each sinusoid; none for silence.
    amplitudes : ndarray of complex128, shape (p,)
        At the first sample, the least-squares fit of the signal to the poles.

    References
    ----------
    R. Roy, T. Kailath, "ESPRIT - estimation of signal parameters via rotational invariance
    techniques", IEEE Trans. ASSP 37(7), 1989.
    """
    x = samples.astype(np.float64)
    peak = np.max(np.abs(x), initial=0.0)
    window = min(len(x) // 2, WINDOW)
    if peak == 0 or window < 3:
        nothing = np.zeros(0, dtype=np.complex128)
        return nothing, nothing
    poles = _poles(x / peak, window, min(2 * order, window - 2))
    shapes = np.vander(poles, len(samples), increasing=True).T
    wave = samples.astype(np.complex128)
    amplitudes = scipy.linalg.lstsq(shapes, wave, lapack_driver="gelsy")[0]
    return poles, amplitudes


def synthesise(poles: Complex, amplitudes: Complex, n: int) -> NDArray[np.float64]:
    """Real part of a sum of damped sinusoids.

    Parameters
    ----------
    poles, amplitudes : ndarray of complex128, shape (p,)
        As :func:`fit_damped` gives them.
    n : int
        How many samples to make.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    signal = np.zeros(n)
    shapes = np.vander(poles, min(n, SYNTHESIS), increasing=True)
    for start in range(0, n, SYNTHESIS):
        stop = min(start + SYNTHESIS, n)
        signal[start:stop] = ((amplitudes * poles**start) @ shapes[:, : stop - start]).real
    return signal


def _poles(x: NDArray[np.float64], window: int, count: int) -> Complex:
    """Poles from the rotation between the signal subspace and itself one sample on."""
    last = (window - count, window - 1)
    _, space = scipy.linalg.eigh(_covariance(x, window), subset_by_index=last, check_finite=False)
    rotation = scipy.linalg.lstsq(space[:-1], space[1:])[0]
    poles = scipy.linalg.eigvals(rotation).astype(np.complex128)
    # A pole that would grow decays instead, as fast as it would have grown.
    growing = np.abs(poles) > 1
    poles[growing] = 1 / poles[growing].conj()
    return poles


def _covariance(x: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Hankel matrix times its transpose, shape (window, window), in O(window^2).

    Each entry is its upper left neighbour less the product that leaves and plus the one
    that enters.
    """
    columns = len(x) - window + 1
    covariance = np.empty((window, window))
    covariance[0] = covariance[:, 0] = correlate(x, x[:columns], mode="valid")
    for i in range(1, window):
        leaves = x[i - 1] * x[: window - 1]
        enters = x[i - 1 + columns] * x[columns : columns + window - 1]
        covariance[i, 1:] = covariance[i - 1, :-1] - leaves + enters
    return covariance
