"""Demodulated partials, and the modes that are found in them."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.models.modal.demodulation import demodulate, matrix_pencil, pencil_poles

RATE, LENGTH = 8000, 800
TIMES = np.arange(2 * RATE) / RATE
STARTS = np.arange(0, RATE, 80)


def test_a_steady_partial_has_a_constant_amplitude_and_phase() -> None:
    tone = (0.5j * np.exp(2j * np.pi * 440 * TIMES)).real
    z = demodulate(tone, RATE, np.array([440.0, 900.0]), STARTS, LENGTH)
    assert z.shape == (2, len(STARTS))
    assert np.allclose(z[0], 0.5j, atol=1e-6)
    assert np.abs(z[1]).max() < 1e-6


def test_modes_are_found_in_the_movement() -> None:
    shapes = [np.exp((2j * np.pi * f - d) * TIMES) for f, d in ((439, 3.0), (442, 1.0))]
    z = demodulate(sum(shapes).real, RATE, np.array([440.0]), STARTS, LENGTH)
    weight, space = matrix_pencil(z)
    assert weight[0, 1] > 1e-2 * weight[0, 0] > 1e4 * weight[0, 2]
    found = np.sort_complex(pencil_poles(space[:, :2], 0.01)[0])
    assert found.real == pytest.approx([-3.0, -1.0], rel=1e-3)
    assert found.imag / (2 * np.pi) == pytest.approx([-1.0, 2.0], rel=1e-3)


def test_partials_are_taken_apart_each_for_itself() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((3, 40)) + 1j * rng.standard_normal((3, 40))
    both = pencil_poles(matrix_pencil(z)[1][:, :2], 0.01)
    assert np.allclose(both[1], pencil_poles(matrix_pencil(z[1:2])[1][:, :2], 0.01)[0])
