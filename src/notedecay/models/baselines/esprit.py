"""Baseline: damped sinusoids fitted to the prime by ESPRIT and extrapolated beyond it."""

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
"""Longest analysis window (samples); the cost grows with its cube."""

MIN_LEFT = 1e-6
"""Smallest share of a direction that may lie before the last sample for the short solution."""

SYNTHESIS = 4096
"""Samples that are synthesised at a time, to bound the memory."""

Complex = NDArray[np.complex128]


class EspritConfig(ContinuatorConfig):
    """Settings of :class:`Esprit`.

    Attributes
    ----------
    order : int
        Number of damped sinusoids.
    attack_seconds : float
        Beginning of the prime that the fit leaves out (s), at most half of it: the attack is
        no sum of damped sinusoids.
    """

    order: int = Field(default=48, ge=1, le=256)
    attack_seconds: float = Field(default=0.1, ge=0.0, le=2.5)


class Esprit(Continuator[EspritConfig]):
    """Damped sinusoids by rotational invariance; poles outside the unit circle are reflected.

    References
    ----------
    R. Roy, T. Kailath, "ESPRIT - estimation of signal parameters via rotational invariance
    techniques", IEEE Trans. ASSP 37(7), 1989.

    Examples
    --------
    >>> from notedecay.models import Signal, create
    >>> t = np.arange(4000) / 4000
    >>> note = (10 ** (-3 * t / 1.5) * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    >>> model = create("esprit", Signal(instrument="piano", rate=4000), {"order": 4})
    >>> made = model.continue_prime(note[:1320], 2680)
    >>> bool(np.abs(made - note[1320:]).max() < 1e-3)
    True
    """

    name: ClassVar[str] = "esprit"
    Config: ClassVar[type[ContinuatorConfig]] = EspritConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Fit the prime after its attack and synthesise what follows."""
        attack = min(round(self.config.attack_seconds * self.signal.rate), len(prime) // 2)
        fitted = prime[attack:]
        poles, amplitudes = fit_damped(fitted, self.config.order)
        at_the_end = amplitudes * poles ** len(fitted)
        return synthesise(poles, at_the_end, samples).astype(np.float32)


def fit_damped(samples: Samples, order: int) -> tuple[Complex, Complex]:
    """Fit a sum of damped sinusoids.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Signal, any level.
    order : int
        Number of sinusoids; a signal of less than some 4 times as many samples gets fewer.

    Returns
    -------
    poles : ndarray of complex128, shape (p,)
        On or inside the unit circle, two for each sinusoid; empty for silence.
    amplitudes : ndarray of complex128, shape (p,)
        At the first sample: the least-squares fit for these poles.

    References
    ----------
    R. Roy, T. Kailath, "ESPRIT - estimation of signal parameters via rotational invariance
    techniques", IEEE Trans. ASSP 37(7), 1989.
    """
    x = samples.astype(np.float64)
    peak = np.max(np.abs(x), initial=0.0)
    window = min(len(x) // 2, WINDOW)
    if peak == 0 or window < 3:
        none = np.zeros(0, dtype=np.complex128)
        return none, none
    poles = _poles(x / peak, window, min(2 * order, window - 2))
    return poles, _amplitudes(poles, x)


def synthesise(poles: Complex, amplitudes: Complex, n: int) -> NDArray[np.float64]:
    """Synthesise the real part of a sum of damped sinusoids.

    Parameters
    ----------
    poles, amplitudes : ndarray of complex128, shape (p,)
        As :func:`fit_damped` gives them.
    n : int
        Number of samples.

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
    """Estimate poles from the rotation of the signal subspace by one sample."""
    last = (window - count, window - 1)
    _, space = scipy.linalg.eigh(_covariance(x, window), subset_by_index=last, check_finite=False)
    poles = scipy.linalg.eigvals(_rotation(space)).astype(np.complex128)
    # A growing pole is reflected at the unit circle: it decays as fast as it would grow.
    growing = np.abs(poles) > 1
    poles[growing] = 1 / poles[growing].conj()
    return poles


def _rotation(space: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve least squares for the rotation of a subspace by one sample.

    The columns are orthonormal: without the last row, their products are the unit matrix but for
    a matrix of rank 1, whose inverse is known (Sherman and Morrison, 1950).
    """
    last, products = space[-1], space[:-1].T @ space[1:]
    left = 1.0 - last @ last
    if left < MIN_LEFT:
        return np.asarray(scipy.linalg.lstsq(space[:-1], space[1:])[0])
    return np.asarray(products + np.outer(last, last @ products) / left)


def _amplitudes(poles: Complex, x: NDArray[np.float64]) -> Complex:
    """Solve least squares for the amplitudes of poles, each followed by its conjugate or real.

    The signal is real, so two real columns stand for a pair of poles. Their triangular factor,
    which costs half of the solution, takes the signal along as one more column.
    """
    upper, real = poles.imag > 0, poles.imag == 0
    pairs = 2 * np.vander(poles[upper], len(x), increasing=True)
    singles = np.vander(poles[real].real, len(x), increasing=True)
    columns = np.vstack([pairs.real, -pairs.imag, singles, x])
    [triangle] = scipy.linalg.qr(columns.T, mode="r", overwrite_a=True, check_finite=False)
    count = len(poles)
    solved, *_ = scipy.linalg.lstsq(
        triangle[:count, :count], triangle[:count, count], lapack_driver="gelsy"
    )
    cosines, sines, alone = np.split(solved, np.cumsum([upper.sum(), upper.sum()]))
    amplitudes = np.empty(count, dtype=np.complex128)
    amplitudes[upper] = cosines + 1j * sines
    amplitudes[np.flatnonzero(upper) + 1] = cosines - 1j * sines
    amplitudes[real] = alone
    return amplitudes


def _covariance(x: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Compute a Hankel matrix times its transpose, shape (window, window), in O(window^2).

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
