"""What partials fall to is found in notes of known two-stage decay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.metrics.decay import decay_time, decay_times, envelope_floors, partial_envelopes
from notedecay.models.modal.aftersound import (
    BOTTOMLESS_DB,
    LOUDER_DB,
    SHALLOWEST_DB,
    Aftersound,
    Bends,
    bends,
    louder_db,
    stages,
)
from notedecay.models.modal.mixture import LONGEST
from tests.synthetic import damped

RATE = 4000
FREQUENCIES = np.array([300.0, 700.0, 1500.0])


def measured(depth_db: float, late_t60: float, seconds: float = 5.0) -> Bends:
    """Partials of a note that falls quickly, and from a depth on slowly."""
    amplitudes = np.array([1.0, 0.5, 1e-4])
    early = damped(FREQUENCIES, [1.5] * 3, amplitudes, rate=RATE, seconds=seconds)
    late = damped(FREQUENCIES, [late_t60] * 3, amplitudes, rate=RATE, seconds=seconds)
    note = early.astype(np.float64) + 10 ** (-depth_db / 20) * late
    envelopes = partial_envelopes(note, RATE, FREQUENCIES)
    floors = envelope_floors(envelopes)
    level_db = 20 * np.log10(amplitudes)
    return bends(envelopes, floors, decay_times(envelopes, floors), level_db)


def test_a_two_stage_decay_is_measured() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.t60[:2] == pytest.approx(20, rel=0.05)
    first_heard = 0.05  # the middle of the measure's first window
    assert found.depth_db[:2] == pytest.approx(40 - 60 * first_heard * (1 / 1.5 - 1 / 20), abs=1)


def test_a_faint_partial_is_not_asked() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.depth_db[2] == found.t60[2] == 0


def test_what_falls_on_one_line_is_at_least_as_deep_as_it_fell() -> None:
    found = measured(depth_db=200, late_t60=1.5, seconds=1.5)
    assert found.t60[:2].tolist() == [0, 0]
    assert found.depth_db[:2] == pytest.approx(53, abs=2)


def test_what_holds_has_the_longest_aftersound() -> None:
    assert measured(depth_db=45, late_t60=1e6).t60[:2] == pytest.approx(LONGEST)


def told(depth_db: list[float], t60: list[float]) -> Aftersound:
    return Aftersound(torch.tensor(depth_db), torch.tensor(t60).log())


def test_what_was_measured_is_not_wrong() -> None:
    depth_db, t60 = torch.tensor([30.0, 0.0]), torch.tensor([8.0, 0.0])
    assert float(told([30.0, 70.0], [8.0, 1.0]).wrong(depth_db, t60)) == 0
    assert float(told([20.0, 70.0], [8.0, 1.0]).wrong(depth_db, t60)) > 0.4
    assert float(told([30.0, 70.0], [16.0, 1.0]).wrong(depth_db, t60)) > 0.2


def test_what_has_not_bent_can_only_be_told_too_shallow() -> None:
    depth_db, t60 = torch.tensor([50.0]), torch.tensor([0.0])
    assert float(told([70.0], [9.0]).wrong(depth_db, t60)) == 0
    assert float(told([30.0], [9.0]).wrong(depth_db, t60)) > 1


def test_notes_of_which_nothing_is_known_are_not_wrong() -> None:
    assert float(told([30.0], [8.0]).wrong(torch.zeros(1), torch.zeros(1))) == 0


def both(t60: float, depth_db: float, after_t60: float, seconds: float = 12.0) -> np.ndarray:
    """Envelope (dB) of a partial with its aftersound, as the measure hears it."""
    one = (np.array([value]) for value in (t60, depth_db, after_t60))
    first, second, weaker = stages(*one)
    t = np.arange(round(seconds * RATE)) / RATE
    amplitude = (1 + weaker) * 10 ** (-3 * t / first) - weaker * 10 ** (-3 * t / second)
    assert amplitude[0] == pytest.approx(1)
    note = amplitude * np.cos(2 * np.pi * FREQUENCIES[1] * t)
    return np.asarray(partial_envelopes(note, RATE, FREQUENCIES[1:2])[0])


@pytest.mark.parametrize("depth_db", [12.0, 17.0, 25.0, 38.0, 50.0, 60.0, BOTTOMLESS_DB])
@pytest.mark.parametrize("t60", [0.1, 0.2, 0.26, 0.3, 0.5, 0.8, 1.0, 3.0, 12.0])
def test_two_stages_are_measured_as_the_one(t60: float, depth_db: float) -> None:
    measured_at_10_ms = 0.06 if t60 < 0.5 else 0.05
    heard = decay_time(both(t60, depth_db, 20.0), -200.0)
    assert heard == pytest.approx(t60, rel=measured_at_10_ms)


@pytest.mark.parametrize("depth_db", [17.0, 30.0, 50.0])
def test_an_aftersound_is_as_much_weaker_as_it_is_measured(depth_db: float) -> None:
    level_db = both(1.0, depth_db, 20.0, seconds=6.0)
    floors, t60 = envelope_floors(level_db[np.newaxis]), np.array([1.0])
    found = bends(level_db[np.newaxis], floors, t60, np.zeros(1))
    assert found.t60[0] == pytest.approx(20, rel=0.05)
    assert found.depth_db[0] == pytest.approx(depth_db, abs=1)


def test_no_aftersound_is_louder_than_the_shallowest_or_shorter_than_the_decay() -> None:
    shallow, shallowest = both(1.0, -5.0, 20.0), both(1.0, SHALLOWEST_DB, 20.0)
    assert np.array_equal(shallow, shallowest)
    assert decay_time(both(2.0, 30.0, 0.5), -200.0) == pytest.approx(2.0, rel=0.01)


def test_what_is_over_at_once_has_no_aftersound() -> None:
    assert both(0.2, 12.0, 20.0, seconds=2.0)[150] < -150


def test_without_partials_there_is_no_aftersound() -> None:
    nothing = np.zeros(0)
    assert [len(found) for found in stages(nothing, nothing, nothing)] == [0, 0, 0]


@pytest.mark.parametrize("count", [1, 10, 64])
def test_the_more_partials_share_the_energy_the_louder_is_what_they_fall_to(count: int) -> None:
    """And those that are 60 dB under the others share none."""
    level_db = torch.tensor([0.0] * count + [-60.0] * 3)
    middle = told([20.0] * (count + 3), [10.0] * (count + 3))
    expected = LOUDER_DB + 10 * np.log10(count)
    assert float(louder_db(level_db, middle)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("count", [3, 10, 30])
def test_a_sum_of_levels_not_known_lies_as_much_over_that_of_their_middles(count: int) -> None:
    chance = np.random.default_rng(0).normal(0, 12, (20_000, count))
    sums_db = 10 * np.log10(np.sum(10 ** (chance / 10), axis=1))
    over_db = np.median(sums_db) - 10 * np.log10(count)
    louder = louder_db(torch.zeros(count), told([20.0] * count, [10.0] * count))
    assert float(louder) - LOUDER_DB == pytest.approx(over_db, abs=3)


def test_aftersound_level_accounts_for_an_uncertainty_of_6_db() -> None:
    """The mean energy of normally distributed levels exceeds that of their median by 4 dB."""
    levels_db = np.random.default_rng(1).normal(0, 6, 200_000)
    mean_db = 10 * np.log10(np.mean(10 ** (levels_db / 10)))
    assert float(louder_db(torch.zeros(1), told([20.0], [10.0]))) == pytest.approx(mean_db, abs=0.5)


def test_short_and_faint_partials_share_no_energy() -> None:
    """Ten ring for 10 s; ten more are over within a hundredth of it, ten lie 20 dB under."""
    level_db = torch.tensor([0.0] * 20 + [-20.0] * 10)
    middle = told([20.0] * 30, [10.0] * 10 + [0.1] * 10 + [10.0] * 10)
    alike = louder_db(torch.zeros(10), told([20.0] * 10, [10.0] * 10))
    assert float(louder_db(level_db, middle)) == pytest.approx(float(alike), abs=0.3)


def test_of_no_partials_nothing_is_louder() -> None:
    nothing = torch.zeros(0)
    assert float(louder_db(nothing, Aftersound(nothing, nothing))) == LOUDER_DB
