"""Intervals against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.metrics.bootstrap import Interval, bootstrap


def test_the_interval_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(0.3, 0.2, 400)
    found = bootstrap(values)
    error = values.std() / np.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.05 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.05 * error)
    assert not found.by_chance


def test_it_holds_the_truth_in_19_of_20_cases() -> None:
    chance = np.random.default_rng(2)
    held = [bootstrap(chance.normal(0.0, 1.0, 60)).by_chance for _ in range(200)]
    assert 0.90 <= np.mean(held) <= 0.98


def test_a_note_without_a_figure_is_left_out() -> None:
    assert bootstrap([0.1, np.nan, 0.1]) == Interval(*[pytest.approx(0.1)] * 3)


def test_no_difference_is_chance_and_so_is_nothing_known() -> None:
    assert bootstrap([0.0] * 9).by_chance
    nothing = bootstrap([np.nan])
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    assert nothing.by_chance
