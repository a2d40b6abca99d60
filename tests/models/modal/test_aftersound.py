"""Aftersound: measured in notes of known two-stage decay, predicted, and synthesised."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.metrics.decay import decay_time, decay_times, envelope_floors, partial_envelopes
from notedecay.models.modal.aftersound import (
    ENERGY_CORRECTION_DB,
    MAX_DEPTH_DB,
    MIN_DEPTH_DB,
    Aftersound,
    AftersoundTargets,
    energy_correction_db,
    measure_aftersound,
    two_stage_decay,
)
from notedecay.models.modal.mixture import MAX_T60
from tests.synthetic import damped

RATE = 4000
FREQUENCIES = np.array([300.0, 700.0, 1500.0])


def measured(depth_db: float, late_t60: float, seconds: float = 5.0) -> AftersoundTargets:
    """Aftersound of a note that decays quickly, and from a depth on slowly."""
    amplitudes = np.array([1.0, 0.5, 1e-4])
    early = damped(FREQUENCIES, [1.5] * 3, amplitudes, rate=RATE, seconds=seconds)
    late = damped(FREQUENCIES, [late_t60] * 3, amplitudes, rate=RATE, seconds=seconds)
    note = early.astype(np.float64) + 10 ** (-depth_db / 20) * late
    envelopes = partial_envelopes(note, RATE, FREQUENCIES)
    floors = envelope_floors(envelopes)
    level_db = 20 * np.log10(amplitudes)
    return measure_aftersound(envelopes, floors, decay_times(envelopes, floors), level_db)


def test_a_two_stage_decay_is_measured() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.t60[:2] == pytest.approx(20, rel=0.05)
    first_frame = 0.05  # the middle of the measure's first window (s)
    assert found.depth_db[:2] == pytest.approx(40 - 60 * first_frame * (1 / 1.5 - 1 / 20), abs=1)


def test_a_faint_partial_is_left_out() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.depth_db[2] == found.t60[2] == 0


def test_the_depth_of_a_single_decay_is_at_least_its_fall() -> None:
    found = measured(depth_db=200, late_t60=1.5, seconds=1.5)
    assert found.t60[:2].tolist() == [0, 0]
    assert found.depth_db[:2] == pytest.approx(53, abs=2)


def test_an_aftersound_that_holds_has_the_longest_t60() -> None:
    assert measured(depth_db=45, late_t60=1e6).t60[:2] == pytest.approx(MAX_T60)


def predicted(depth_db: list[float], t60: list[float]) -> Aftersound:
    return Aftersound(torch.tensor(depth_db), torch.tensor(t60).log())


def test_a_right_prediction_has_no_loss() -> None:
    depth_db, t60 = torch.tensor([30.0, 0.0]), torch.tensor([8.0, 0.0])
    assert float(predicted([30.0, 70.0], [8.0, 1.0]).loss(depth_db, t60)) == 0
    assert float(predicted([20.0, 70.0], [8.0, 1.0]).loss(depth_db, t60)) > 0.4
    assert float(predicted([30.0, 70.0], [16.0, 1.0]).loss(depth_db, t60)) > 0.2


def test_without_an_aftersound_only_too_shallow_a_depth_is_an_error() -> None:
    depth_db, t60 = torch.tensor([50.0]), torch.tensor([0.0])
    assert float(predicted([70.0], [9.0]).loss(depth_db, t60)) == 0
    assert float(predicted([30.0], [9.0]).loss(depth_db, t60)) > 1


def test_notes_without_a_known_aftersound_have_no_loss() -> None:
    assert float(predicted([30.0], [8.0]).loss(torch.zeros(1), torch.zeros(1))) == 0


def both(t60: float, depth_db: float, after_t60: float, seconds: float = 12.0) -> np.ndarray:
    """Measured envelope (dB) of a partial with its aftersound."""
    one = (np.array([value]) for value in (t60, depth_db, after_t60))
    first, second, share = two_stage_decay(*one)
    t = np.arange(round(seconds * RATE)) / RATE
    amplitude = (1 + share) * 10 ** (-3 * t / first) - share * 10 ** (-3 * t / second)
    assert amplitude[0] == pytest.approx(1)
    note = amplitude * np.cos(2 * np.pi * FREQUENCIES[1] * t)
    return np.asarray(partial_envelopes(note, RATE, FREQUENCIES[1:2])[0])


@pytest.mark.parametrize("depth_db", [12.0, 17.0, 25.0, 38.0, 50.0, 60.0, MAX_DEPTH_DB])
@pytest.mark.parametrize("t60", [0.1, 0.2, 0.26, 0.3, 0.5, 0.8, 1.0, 3.0, 12.0])
def test_two_stages_measure_as_the_predicted_decay(t60: float, depth_db: float) -> None:
    measured_at_10_ms = 0.06 if t60 < 0.5 else 0.05
    found = decay_time(both(t60, depth_db, 20.0), -200.0)
    assert found == pytest.approx(t60, rel=measured_at_10_ms)


@pytest.mark.parametrize("depth_db", [17.0, 30.0, 50.0])
def test_an_aftersound_is_synthesised_as_deep_as_it_measures(depth_db: float) -> None:
    level_db = both(1.0, depth_db, 20.0, seconds=6.0)
    floors, t60 = envelope_floors(level_db[np.newaxis]), np.array([1.0])
    found = measure_aftersound(level_db[np.newaxis], floors, t60, np.zeros(1))
    assert found.t60[0] == pytest.approx(20, rel=0.05)
    assert found.depth_db[0] == pytest.approx(depth_db, abs=1)


def test_no_aftersound_is_louder_than_the_shallowest_or_shorter_than_the_decay() -> None:
    shallow, shallowest = both(1.0, -5.0, 20.0), both(1.0, MIN_DEPTH_DB, 20.0)
    assert np.array_equal(shallow, shallowest)
    assert decay_time(both(2.0, 30.0, 0.5), -200.0) == pytest.approx(2.0, rel=0.01)


def test_a_partial_of_short_t60_has_no_aftersound() -> None:
    assert both(0.2, 12.0, 20.0, seconds=2.0)[150] < -150


def test_without_partials_there_is_no_aftersound() -> None:
    nothing = np.zeros(0)
    assert [len(found) for found in two_stage_decay(nothing, nothing, nothing)] == [0, 0, 0]


@pytest.mark.parametrize("count", [1, 10, 64])
def test_the_energy_correction_grows_with_the_number_of_partials(count: int) -> None:
    """And those that are 60 dB under the others share none."""
    level_db = torch.tensor([0.0] * count + [-60.0] * 3)
    median = predicted([20.0] * (count + 3), [10.0] * (count + 3))
    expected = ENERGY_CORRECTION_DB + 10 * np.log10(count)
    assert float(energy_correction_db(level_db, median)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("count", [3, 10, 30])
def test_the_energy_correction_is_that_of_uncertain_levels(count: int) -> None:
    levels_db = np.random.default_rng(0).normal(0, 12, (20_000, count))
    sums_db = 10 * np.log10(np.sum(10 ** (levels_db / 10), axis=1))
    over_db = np.median(sums_db) - 10 * np.log10(count)
    correction_db = energy_correction_db(
        torch.zeros(count), predicted([20.0] * count, [10.0] * count)
    )
    assert float(correction_db) - ENERGY_CORRECTION_DB == pytest.approx(over_db, abs=3)


def test_aftersound_level_accounts_for_an_uncertainty_of_6_db() -> None:
    """The mean energy of normally distributed levels exceeds that of their median by 4 dB."""
    levels_db = np.random.default_rng(1).normal(0, 6, 200_000)
    mean_db = 10 * np.log10(np.mean(10 ** (levels_db / 10)))
    assert float(energy_correction_db(torch.zeros(1), predicted([20.0], [10.0]))) == pytest.approx(
        mean_db, abs=0.5
    )


def test_short_and_faint_partials_share_no_energy() -> None:
    """Ten ring for 10 s; ten more are over within a hundredth of it, ten lie 20 dB under."""
    level_db = torch.tensor([0.0] * 20 + [-20.0] * 10)
    median = predicted([20.0] * 30, [10.0] * 10 + [0.1] * 10 + [10.0] * 10)
    alike = energy_correction_db(torch.zeros(10), predicted([20.0] * 10, [10.0] * 10))
    assert float(energy_correction_db(level_db, median)) == pytest.approx(float(alike), abs=0.3)


def test_without_partials_the_correction_is_that_of_one() -> None:
    nothing = torch.zeros(0)
    assert (
        float(energy_correction_db(nothing, Aftersound(nothing, nothing))) == ENERGY_CORRECTION_DB
    )
