from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.metrics import fit_exponential, hilbert_envelope
from tests.synthetic import damped

RATE = 8400


@pytest.mark.parametrize("t60", [0.3, 1.0, 3.0, 8.0])
def test_t60_of_one_partial_within_1_percent(t60: float) -> None:
    fit = fit_exponential(damped([440.0], [t60], seconds=5.0, rate=RATE), RATE)
    assert fit is not None
    assert fit.t60 == pytest.approx(t60, rel=0.01)
    assert fit.t60 == pytest.approx(60 / (8.686 * fit.b), rel=1e-4)
    assert fit.c == pytest.approx(0.0, abs=0.002)
    assert fit.residual < 0.005


def test_what_stays_is_told_from_what_decays() -> None:
    t = np.arange(4 * RATE) / RATE
    envelope = 0.4 * np.exp(-3.0 * t) + 0.05
    fit = fit_exponential(envelope * np.sin(2 * np.pi * 440 * t), RATE)
    assert fit is not None
    start = 0.4 * np.exp(-3.0 * fit.start_seconds)
    assert (fit.a, fit.b, fit.c) == pytest.approx((start, 3.0, 0.05), rel=0.01)


def test_the_curve_begins_at_the_attack() -> None:
    note = np.concatenate([np.zeros(RATE), damped([440.0], [2.0], rate=RATE)])
    fit = fit_exponential(note, RATE)
    assert fit is not None
    assert fit.start_seconds == pytest.approx(1.0, abs=0.05)
    assert fit.t60 == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("noise_db", "within"), [(-66.0, 0.01), (-56.0, 0.02), (-46.0, 0.05), (-36.0, 0.13)]
)
def test_t60_under_noise(noise_db: float, within: float) -> None:
    """Peak -6 dBFS: 2 % down to an SNR of 50 dB; noise adds in power, c does not."""
    note = damped([440.0], [2.0], seconds=5.0, rate=RATE, noise_db=noise_db)
    fit = fit_exponential(note, RATE)
    assert fit is not None
    assert fit.t60 == pytest.approx(2.0, rel=within)


def test_a_steady_tone_does_not_decay() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)
    fit = fit_exponential(tone, RATE)
    assert fit is not None
    assert np.isposinf(fit.t60)
    assert fit.a + fit.c == pytest.approx(0.3, rel=0.01)


def test_two_speeds_leave_a_residual() -> None:
    beating = damped([440.0, 442.0], [3.0, 3.0], rate=RATE)
    fit = fit_exponential(beating, RATE)
    assert fit is not None
    assert fit.residual > 0.05


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), np.ones(RATE // 10)])
def test_nothing_to_fit(samples: np.ndarray) -> None:
    assert fit_exponential(samples, RATE) is None


def test_envelope_level_and_timing() -> None:
    envelope = hilbert_envelope(0.1 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE), RATE)
    assert len(envelope) == 96
    assert envelope[2:-2] == pytest.approx(np.full(92, 0.1), rel=0.01)


@given(
    samples=st.integers(0, 5000),
    level=st.floats(1e-7, 1.0),
    rate=st.sampled_from([1000, 2940, 44100]),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_any_sound_gets_a_fit_in_range_or_none(
    samples: int, level: float, rate: int, seed: int
) -> None:
    noise = level * np.random.default_rng(seed).standard_normal(samples)
    fit = fit_exponential(noise, rate)
    if fit is not None:
        assert min(fit.a, fit.b, fit.c, fit.residual) >= 0.0
        assert fit.t60 > 0.0
        assert np.isfinite([fit.a, fit.b, fit.c, fit.residual]).all()
