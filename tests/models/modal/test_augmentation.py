"""A note is decomposed into its beating modes, and re-excited."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.decay import decay_times, envelope_floors, partial_envelopes
from notedecay.models.modal.augmentation import fit_modes, re_excite

RATE = 8000
TIMES = np.arange(4 * RATE) / RATE


def damped_modes(*modes: tuple[float, float, complex]) -> np.ndarray:
    """Modes of a frequency (Hz), damping (1/s) and amplitude, in a little noise."""
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(TIMES))
    return noise + sum((a * np.exp((2j * np.pi * f - d) * TIMES)).real for f, d, a in modes)


BEATING = damped_modes((440, 2.0, 1.0), (440.8, 0.7, 0.4j), (880, 3.0, 0.5))


def t60s(samples: np.ndarray) -> np.ndarray:
    envelopes = partial_envelopes(samples, RATE, np.array([440.0, 880.0]))
    return decay_times(envelopes, envelope_floors(envelopes))


def test_the_modes_of_each_partial_are_found() -> None:
    pole, amplitude = fit_modes(BEATING, RATE, np.array([440.2, 880.1]))
    order = np.argsort(pole.imag)
    assert pole.imag[order] / (2 * np.pi) == pytest.approx([440, 440.8, 880], abs=0.01)
    assert -pole.real[order] == pytest.approx([2.0, 0.7, 3.0], rel=0.02)
    assert np.allclose(amplitude[order], [1.0, 0.4j, 0.5], atol=0.01)


def test_re_excitation_changes_the_decay_of_a_partial_that_beats() -> None:
    modes = fit_modes(BEATING, RATE, np.array([440.0, 880.0]))
    rng = np.random.default_rng(1)
    copies = [t60s(re_excite(BEATING, RATE, modes, rng)) for _ in range(20)]
    std = np.std(np.log(copies), axis=0)
    assert std[0] > 0.1
    assert std[1] < 0.01
    assert np.median(copies, axis=0) == pytest.approx(t60s(BEATING), rel=0.15)


def test_augmentation_changes_phases_by_0_3_rad_and_levels_by_15_percent() -> None:
    lines_hz = np.array([300.0 + 150 * k for k in range(20)])
    note = damped_modes(*((f, 1.0, 0.05) for f in lines_hz))
    modes = fit_modes(note, RATE, lines_hz)
    rng = np.random.default_rng(4)
    changes = []
    for _ in range(4):
        again = fit_modes(re_excite(note, RATE, modes, rng), RATE, lines_hz)
        changes.append(np.log(again.amplitude / modes.amplitude))
    assert np.std(np.imag(changes)) == pytest.approx(0.3, rel=0.25)
    assert np.std(np.real(changes)) == pytest.approx(0.15, rel=0.25)
    assert abs(np.mean(changes)) < 0.1


def test_re_excitation_leaves_the_rest_of_the_sound() -> None:
    modes = fit_modes(BEATING, RATE, np.array([440.0, 880.0]))
    hum = BEATING + damped_modes((1500, 0.5, 0.3))
    again = re_excite(hum, RATE, modes, np.random.default_rng(2))
    assert np.array_equal(again, re_excite(hum, RATE, modes, np.random.default_rng(2)))
    left = fit_modes(again, RATE, np.array([1500.0]))
    assert np.abs(left.amplitude).max() == pytest.approx(0.3, rel=0.01)
    assert again[0] == hum[0]


@pytest.mark.parametrize("samples", [np.zeros(4 * RATE), BEATING[: RATE // 5], BEATING[:10]])
def test_silence_and_short_notes_have_no_modes(samples: np.ndarray) -> None:
    modes = fit_modes(samples, RATE, np.array([440.0, 880.0]))
    assert not len(modes.pole)
    assert np.array_equal(re_excite(samples, RATE, modes, np.random.default_rng(0)), samples)


@pytest.mark.parametrize(("growth", "modes"), [(0.3, 1), (2.0, 0)])
def test_a_partial_that_grows_quickly_is_no_damped_mode(growth: float, modes: int) -> None:
    t = TIMES[: round(0.45 * RATE)]
    swelling = 0.3 * np.exp(growth * t) * np.cos(2 * np.pi * 440 * t)
    assert len(fit_modes(swelling, RATE, np.array([440.0])).pole) == modes


def test_noise_is_not_taken_for_modes() -> None:
    noise = np.random.default_rng(3).standard_normal(4 * RATE)
    assert len(fit_modes(noise, RATE, np.array([440.0, 880.0, 1500.0])).pole) == 0
    assert len(fit_modes(noise, RATE, np.zeros(0)).pole) == 0
