from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.spectra import decibels, frames, level_db, power_spectra, spectral_peaks


def test_full_scale_sine_peaks_at_0_db() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(1600) / 8000)
    spectrum = decibels(power_spectra(sine, 1600, 200))[0]
    assert spectrum.argmax() == 200
    assert spectrum.max() == pytest.approx(0.0, abs=0.01)


def test_frames_lie_inside_the_signal() -> None:
    assert frames(np.arange(10.0), 4, 3)[:, 0].tolist() == [0.0, 3.0, 6.0]


def test_short_signal_is_padded_to_one_frame() -> None:
    assert frames(np.ones(2), 4, 1).tolist() == [[1.0, 1.0, 0.0, 0.0]]


def test_silence_stays_finite() -> None:
    assert decibels(np.zeros(2)).tolist() == [-200.0, -200.0]
    assert level_db(np.zeros(0)) == -200.0


def test_parabola_finds_a_peak_between_bins() -> None:
    bins = np.arange(100.0)
    frequency, level = spectral_peaks(
        -((bins - 40.3) ** 2), 10.0, count=5, lowest_db=-50.0, prominence_db=12.0
    )
    assert frequency == pytest.approx([403.0])
    assert level == pytest.approx([0.0], abs=1e-9)


def test_weaker_peaks_within_40_hz_give_way() -> None:
    spectrum = np.full(100, -80.0)
    spectrum[[20, 23, 60]] = [-10.0, 0.0, -20.0]
    frequency, _ = spectral_peaks(spectrum, 10.0, count=5, lowest_db=-50.0, prominence_db=12.0)
    assert frequency.tolist() == [230.0, 600.0]


def test_flat_spectrum_has_no_peaks() -> None:
    frequency, level = spectral_peaks(
        np.zeros(50), 10.0, count=5, lowest_db=-50.0, prominence_db=12.0
    )
    assert frequency.size == level.size == 0
