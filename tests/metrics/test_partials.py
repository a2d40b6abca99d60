from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.partials import (
    Partials,
    candidate_partials,
    distances_cents,
    dominant_partials,
    known_partials,
)
from tests.synthetic import damped

RATE = 8400


def cents(found: float, true: float) -> float:
    return float(abs(1200 * np.log2(found / true)))


@pytest.mark.parametrize("f0", [82.4, 110.3, 261.6, 523.3])
def test_pitch_of_every_partial_within_half_a_cent(f0: float) -> None:
    true = [f0 * k for k in range(1, 7)]
    note = damped(true, [3.0 / k for k in range(1, 7)], [1 / k for k in range(1, 7)], rate=RATE)
    found = np.sort(dominant_partials(note.astype(np.float64), RATE).frequency_hz)
    assert len(found) == 6
    assert max(cents(a, b) for a, b in zip(found, true, strict=True)) < 0.5


@pytest.mark.parametrize(("noise_db", "within"), [(-60.0, 0.5), (-40.0, 0.5), (-20.0, 2.0)])
def test_pitch_under_noise(noise_db: float, within: float) -> None:
    """Noise 14 dB under a peak of -6 dBFS still leaves a just unnoticeable 2 cents."""
    note = damped([440.0, 1320.0], [2.0, 2.0], rate=RATE, noise_db=noise_db)
    found = dominant_partials(note.astype(np.float64), RATE).frequency_hz[:2]
    assert max(cents(a, b) for a, b in zip(np.sort(found), (440, 1320), strict=True)) < within


def test_levels_come_strongest_first() -> None:
    note = damped([300.0, 700.0, 1500.0], [3.0] * 3, [0.1, 1.0, 0.01], rate=RATE)
    partials = dominant_partials(note.astype(np.float64), RATE)
    assert partials.frequency_hz == pytest.approx([700.0, 300.0, 1500.0], abs=0.1)
    assert partials.level_db - partials.level_db[0] == pytest.approx([0.0, -20.0, -40.0], abs=0.2)


def test_45_db_down_and_10_in_number_are_the_limits() -> None:
    weak = damped([300.0, 900.0], [3.0, 3.0], [1.0, 0.003], rate=RATE).astype(np.float64)
    assert len(dominant_partials(weak, RATE)) == 1
    assert len(known_partials(weak, RATE)) == 2
    rich = damped([200.0 * k for k in range(1, 15)], [3.0] * 14, rate=RATE)
    assert len(dominant_partials(rich.astype(np.float64), RATE)) == 10


def test_partials_50_hz_apart_are_told_apart_and_20_hz_are_not() -> None:
    apart = damped([500.0, 550.0], [3.0, 3.0], rate=RATE).astype(np.float64)
    close = damped([500.0, 520.0], [3.0, 3.0], rate=RATE).astype(np.float64)
    assert len(dominant_partials(apart, RATE)) == 2
    assert len(dominant_partials(close, RATE)) == 1


@pytest.mark.parametrize("samples", [1, 100, 1680, 2000])
def test_short_and_silent_signals(samples: int) -> None:
    assert len(dominant_partials(np.zeros(samples), RATE)) == 0
    assert len(candidate_partials(np.zeros(samples), RATE, Partials(np.ones(1), np.ones(1)))) == 0


def test_a_rich_note_has_more_known_partials_than_dominant_ones() -> None:
    rich = damped([150.0 * k for k in range(1, 25)], [3.0] * 24, rate=RATE).astype(np.float64)
    assert len(known_partials(rich, RATE)) == 24
    assert len(dominant_partials(rich, RATE)) == 10


def test_what_begins_after_275_ms_is_no_partial_of_the_opening() -> None:
    early = damped([440.0], [3.0], rate=RATE).astype(np.float64)
    late = damped([1000.0], [3.0], rate=RATE).astype(np.float64)
    start = round(0.28 * RATE)
    both = early + np.concatenate([np.zeros(start), late[:-start]])
    assert dominant_partials(both, RATE).frequency_hz == pytest.approx([440.0], abs=0.1)
    start = round(0.15 * RATE)
    both = early + np.concatenate([np.zeros(start), late[:-start]])
    assert len(dominant_partials(both, RATE)) == 2


@pytest.mark.parametrize(
    ("click", "dominant", "candidates"), [(60.0, 1, 1), (150.0, 0, 1), (400.0, 0, 0)]
)
def test_less_prominence_is_asked_of_a_continuation_than_of_an_original(
    click: float, dominant: int, candidates: int
) -> None:
    """Over the flat spectrum of a click the tone stands out by some 16, 10 and 4 dB."""
    at = round(0.1375 * RATE)
    sound = np.sin(2 * np.pi * 1000 * (np.arange(RATE) - at) / RATE)
    sound[at] += click
    wanted = Partials(np.array([1000.0]), np.zeros(1))
    assert len(dominant_partials(sound, RATE)) == dominant
    assert len(candidate_partials(sound, RATE, wanted)) == candidates


def test_distances_and_missing() -> None:
    wanted = Partials(np.array([100.0, 1000.0, 2000.0]), np.zeros(3))
    present = Partials(np.array([107.0, 1021.0, 2000.0]), np.zeros(3))
    distances = distances_cents(wanted, present)
    assert distances[0] == pytest.approx(117.1, abs=0.1)
    assert np.isnan(distances[1])
    assert distances[2] == 0.0


def test_a_continuation_too_quiet_to_hear_has_no_partials() -> None:
    note = damped([440.0], [2.0], rate=RATE).astype(np.float64)
    wanted = dominant_partials(note, RATE)
    assert len(candidate_partials(note * 1e-3, RATE, wanted)) == 1
    assert len(candidate_partials(note * 1e-4, RATE, wanted)) == 0
