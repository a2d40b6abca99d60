from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.metrics.decay import (
    decay_time,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from tests.synthetic import damped

RATE = 8400


def measured(note: np.ndarray, frequencies: list[float]) -> np.ndarray:
    envelopes = partial_envelopes(note.astype(np.float64), RATE, np.array(frequencies))
    return decay_times(envelopes, envelope_floors(envelopes))


@pytest.mark.parametrize("t60", [0.3, 1.0, 3.0, 8.0, 15.0])
def test_t60_of_one_partial_within_2_percent(t60: float) -> None:
    note = damped([440.0], [t60], seconds=5.0, rate=RATE)
    assert measured(note, [440.0]) == pytest.approx([t60], rel=0.02)


@pytest.mark.parametrize("rate", [1000, 2940, 11025, 44100])
def test_t60_at_rates_of_which_10_ms_are_no_whole_number_of_samples(rate: int) -> None:
    note = damped([220.0], [2.0], seconds=3.0, rate=rate).astype(np.float64)
    envelopes = partial_envelopes(note, rate, np.array([220.0]))
    assert envelopes.shape == (1, 291)
    assert decay_times(envelopes, envelope_floors(envelopes)) == pytest.approx([2.0], rel=1e-3)


def test_t60_of_each_harmonic_within_2_percent() -> None:
    frequencies = [220.0 * k for k in range(1, 9)]
    true = [4.0 / k**0.7 for k in range(1, 9)]
    note = damped(frequencies, true, [1 / k for k in range(1, 9)], seconds=5.0, rate=RATE)
    assert measured(note, frequencies) == pytest.approx(true, rel=0.02)


@given(
    t60=st.floats(0.3, 12.0),
    frequency=st.floats(60.0, 3900.0),
    slip=st.floats(-4.0, 4.0),
)
@settings(max_examples=30, deadline=None)
def test_slope_holds_whatever_the_pitch_and_a_few_hz_beside_it(
    t60: float, frequency: float, slip: float
) -> None:
    note = damped([frequency], [t60], seconds=4.0, rate=RATE)
    assert measured(note, [frequency + slip]) == pytest.approx([t60], rel=0.02)


@pytest.mark.parametrize(
    ("noise_db", "within"), [(-60.0, 0.005), (-50.0, 0.02), (-40.0, 0.06), (-30.0, 0.2)]
)
def test_t60_under_noise(noise_db: float, within: float) -> None:
    """Peak -6 dBFS: 2 % down to an SNR of 44 dB, 6 % to 34 dB, 20 % to 24 dB, then lost."""
    frequencies, true = [220.0, 660.0, 1100.0], [4.0, 2.0, 1.0]
    note = damped(frequencies, true, seconds=5.0, rate=RATE, noise_db=noise_db)
    assert measured(note, frequencies) == pytest.approx(true, rel=within)


def test_partials_40_hz_apart_within_5_percent_and_8_hz_apart_beat() -> None:
    apart = damped([500.0, 540.0], [3.0, 1.5], seconds=4.0, rate=RATE)
    assert measured(apart, [500.0, 540.0]) == pytest.approx([3.0, 1.5], rel=0.05)
    close = damped([500.0, 508.0], [3.0, 1.5], seconds=4.0, rate=RATE)
    assert measured(close, [508.0])[0] != pytest.approx(1.5, rel=0.2)


def test_envelope_level_and_timing() -> None:
    envelope = partial_envelopes(
        0.1 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE), RATE, np.array([500.0])
    )
    assert envelope.shape == (1, 91)
    assert envelope == pytest.approx(np.full((1, 91), -20.0), abs=0.01)


def test_a_tone_that_holds_or_grows_never_decays() -> None:
    t = np.arange(3 * RATE) / RATE
    for growth in (0.0, 1.0):
        tone = 0.1 * np.exp(growth * t) * np.sin(2 * np.pi * 440 * t)
        envelopes = partial_envelopes(tone, RATE, np.array([440.0]))
        assert np.isposinf(decay_times(envelopes, np.array([-100.0]))).all()


def test_line_ends_30_db_down() -> None:
    envelope = np.concatenate([np.arange(0.0, -30.0, -1.0), np.full(100, -31.0)])
    assert decay_time(envelope, -100.0) == pytest.approx(0.6)


def test_line_ends_6_db_above_the_floor() -> None:
    envelope = np.concatenate([np.arange(0.0, -14.0, -1.0), np.full(100, -15.0)])
    assert decay_time(envelope, -20.0) == pytest.approx(0.6)


def test_no_line_in_what_begins_at_the_floor() -> None:
    assert np.isnan(decay_time(np.full(50, -20.0), -20.0))
    assert np.isnan(decay_time(np.array([0.0, -40.0, -80.0]), -100.0))


def test_what_falls_slower_than_3_db_a_second_is_not_judged() -> None:
    t60 = np.array([1.0, 19.9, 20.1, np.inf, np.nan])
    assert is_judged(t60).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("at_the_floor", [0.1, 0.5, 0.9])
def test_floor_is_found_where_a_partial_is_gone_for_a_tenth_of_the_time(
    at_the_floor: float,
) -> None:
    gone = np.full(round(1000 * at_the_floor), -60.0)
    envelope = np.concatenate([np.linspace(0.0, -60.0, 1000 - len(gone)), gone])
    assert envelope_floors(envelope[np.newaxis]) == pytest.approx([-60.0], abs=0.5)


def test_a_few_dips_of_a_beat_are_no_floor() -> None:
    envelope = np.full((2, 500), [[-60.0], [-20.0]])
    envelope[:, ::40] = -120.0
    assert envelope_floors(envelope).tolist() == [-60.0, -20.0]


def test_line_ends_before_the_level_where_it_ends_and_what_comes_later_does_not_count() -> None:
    held = np.concatenate([[0.0, -10.0, -20.0], np.full(100, -30.0)])
    assert decay_time(held, -200.0) == pytest.approx(0.06)


def test_line_covers_the_first_30_db_of_a_decay_that_bends() -> None:
    """1 dB a step for 20 dB, then half a dB: the line lies between the two."""
    envelope = np.concatenate([np.arange(0.0, -20.0, -1.0), np.arange(-20.0, -60.0, -0.5)])
    assert 0.75 < decay_time(envelope, -200.0) < 1.1
    assert decay_time(envelope, -26.0) == pytest.approx(0.6)


def test_three_points_are_a_line() -> None:
    assert decay_time(np.array([0.0, -12.0, -24.0, -36.0]), -200.0) == pytest.approx(0.05)


def test_less_than_a_tenth_of_a_db_a_second_is_no_decay() -> None:
    seconds = np.arange(300) * 0.01
    assert np.isposinf(decay_time(-0.08 * seconds, -200.0))
    assert decay_time(-0.12 * seconds, -200.0) == pytest.approx(500.0)


def test_exactly_3_db_a_second_is_judged() -> None:
    assert is_judged(np.array([20.0])).tolist() == [True]


def test_no_partials_no_envelopes() -> None:
    envelopes = partial_envelopes(np.zeros(RATE), RATE, np.zeros(0))
    assert decay_times(envelopes, envelope_floors(envelopes)).size == 0
