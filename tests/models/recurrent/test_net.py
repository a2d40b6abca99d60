"""Inputs of the block nets: samples, with or without their spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.models.recurrent.net import input_size, with_spectrum


@pytest.mark.parametrize("size", [48, 49])
def test_the_spectrum_follows_the_block(size: int) -> None:
    blocks = np.random.default_rng(0).standard_normal((2, 3, size)).astype(np.float32)
    inputs = with_spectrum(torch.from_numpy(blocks)).numpy()
    spectrum = np.fft.rfft(blocks) / np.sqrt(size)
    assert inputs.shape == (2, 3, input_size(size, True))
    assert np.array_equal(inputs[..., :size], blocks)
    real, imaginary = np.split(inputs[..., size:], 2, axis=-1)
    assert np.allclose(real, spectrum.real, atol=1e-5)
    assert np.allclose(imaginary, spectrum.imag, atol=1e-5)


def test_a_sine_has_its_energy_in_one_bin() -> None:
    block = torch.sin(2 * torch.pi * 5 * torch.arange(50) / 50)
    spectrum = with_spectrum(block)[50:]
    assert spectrum[26 + 5].item() == pytest.approx(-0.5 * 50**0.5, rel=1e-5)
    assert spectrum.abs().sort().values[:-1].max() < 1e-5


def test_without_the_spectrum_the_samples_are_the_inputs() -> None:
    assert input_size(49, False) == 49
