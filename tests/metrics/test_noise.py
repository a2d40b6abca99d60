from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.noise import beside_partials, envelope_db, frame_energy, tail_start
from notedecay.metrics.partials import Partials, known_partials
from tests.synthetic import damped

RATE = 8000


def test_three_bins_around_a_partial_are_spared() -> None:
    bins = beside_partials(Partials(np.array([1000.0]), np.zeros(1)), RATE)
    assert bins.shape == (801,)
    assert np.flatnonzero(~bins).tolist() == list(range(197, 204))


def test_energy_beside_a_clean_tone_is_40_db_down() -> None:
    note = damped([400.0, 812.3], [3.0, 2.0], rate=RATE).astype(np.float64)
    beside = beside_partials(known_partials(note, RATE), RATE)
    part = frame_energy(note, RATE, beside).mean() / frame_energy(note, RATE)[0]
    assert 10 * np.log10(part) < -40.0


def test_envelope_of_a_steady_and_a_decaying_tone() -> None:
    t = np.arange(2 * RATE) / RATE
    tone = np.sqrt(2) * 0.1 * np.sin(2 * np.pi * 500 * t)
    assert envelope_db(tone, RATE) == pytest.approx(np.full(100, -20.0), abs=0.01)
    falling = envelope_db(tone * 10 ** (-3 * t / 2.0), RATE)
    assert np.diff(falling) == pytest.approx(np.full(99, -0.6), abs=0.01)


def test_tail_begins_60_db_down_or_at_the_floor() -> None:
    assert tail_start(np.arange(0.0, -100.0, -1.0)) == 60
    assert tail_start(np.concatenate([np.arange(0.0, -40.0, -1.0), np.full(60, -40.0)])) == 40
    assert tail_start(np.zeros(1)) == 0


def test_a_floor_held_for_a_tenth_of_the_note_is_its_tail() -> None:
    envelope = np.concatenate([np.linspace(0.0, -40.0, 900), np.full(100, -40.0)])
    assert tail_start(envelope) == pytest.approx(900, abs=5)
