from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.metrics import beating, fit_stages, partial_envelopes
from tests.synthetic import damped

RATE = 8400
PITCH = 440.0


def envelope(note: np.ndarray, frequency: float = PITCH) -> np.ndarray:
    return partial_envelopes(note.astype(np.float64), RATE, np.array([frequency]))[0]


def pair(
    spacing: float, ratio: float, *, t60: float = 4.0, noise_db: float | None = None
) -> np.ndarray:
    note = damped(
        [PITCH, PITCH + spacing],
        [t60, t60],
        [1.0, ratio],
        seconds=5.0,
        rate=RATE,
        noise_db=noise_db,
    )
    return envelope(note, PITCH + spacing * ratio / (1 + ratio))


def depth(ratio: float) -> float:
    return float(20 * np.log10((1 + ratio) / (1 - ratio)))


@pytest.mark.parametrize("spacing", [0.6, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.6])
def test_rate_within_2_percent_and_depth_within_1_db(spacing: float, ratio: float) -> None:
    found = beating(pair(spacing, ratio))
    assert found is not None
    assert found.rate_hz == pytest.approx(spacing, rel=0.02)
    assert found.depth_db == pytest.approx(depth(ratio), abs=1.0)


@pytest.mark.parametrize("noise_db", [-56.0, -46.0, -36.0])
def test_beating_under_noise(noise_db: float) -> None:
    """Peak -6 dBFS: found down to an SNR of 30 dB."""
    found = beating(pair(2.0, 0.5, noise_db=noise_db))
    assert found is not None
    assert found.rate_hz == pytest.approx(2.0, rel=0.02)
    assert found.depth_db == pytest.approx(depth(0.5), abs=1.5)


def test_a_fast_beat_is_found_flattened() -> None:
    found = beating(envelope(damped([PITCH, PITCH + 8.0], [4.0, 4.0], [1.0, 0.3], rate=RATE)))
    assert found is not None
    assert found.rate_hz == pytest.approx(8.0, rel=0.01)
    assert 0.4 * depth(0.3) < found.depth_db < depth(0.3)


@pytest.mark.parametrize("t60", [0.5, 2.0, 6.0, 1e6])
@pytest.mark.parametrize("noise_db", [None, -56.0, -36.0])
def test_a_single_mode_does_not_beat(t60: float, noise_db: float | None) -> None:
    note = damped([PITCH], [t60], seconds=5.0, rate=RATE, noise_db=noise_db)
    assert beating(envelope(note)) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_second_stage_does_not_beat(seed: int) -> None:
    note = damped([PITCH, PITCH], [1.0, 6.0], [1.0, 0.15], seconds=5.0, rate=RATE, seed=seed)
    assert beating(envelope(note)) is None


def test_less_than_two_beats_or_under_1_db_are_none() -> None:
    assert beating(pair(0.3, 0.5)) is None
    assert beating(pair(2.0, 0.03)) is None


def test_a_known_decay_is_not_fitted_again() -> None:
    levels = pair(2.0, 0.5)
    assert beating(levels, fit_stages(levels)) == beating(levels)


def test_silence_does_not_beat() -> None:
    assert beating(np.full(300, -200.0)) is None
    assert beating(np.zeros(0)) is None


def test_noise_alone_seldom_beats() -> None:
    generator = np.random.default_rng(0)
    found = [beating(envelope(0.1 * generator.standard_normal(2 * RATE))) for _ in range(10)]
    assert found == [None] * 10


@given(st.lists(st.floats(-120.0, 0.0, width=32), min_size=0, max_size=60))
@settings(max_examples=25, deadline=None)
def test_any_envelope_beats_in_range_or_not_at_all(levels: list[float]) -> None:
    found = beating(np.array(levels))
    if found is not None:
        assert 0.0 < found.rate_hz <= 10.0
        assert 1.0 <= found.depth_db <= 40.0
