from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.metrics.scores import MEASURES, Scores, decay_credit, decay_ok, mean_scores, overall

NAN = float("nan")


def scores(**changes: float) -> Scores:
    values = dict.fromkeys(MEASURES, 1.0) | changes
    return Scores(**values, judged=0 if np.isnan(values["decay_ok"]) else 3)


def test_decay_ok_counts_what_lies_within_the_inaudible_range() -> None:
    ratios = np.array([0.74, 0.75, 1.0, 1.4, 1.41, np.inf, np.nan, 0.9])
    assert decay_ok(ratios, 0.0) == 0.5
    assert decay_ok(ratios, 0.5) == 0.25


def test_decay_credit_is_half_at_1_4_times_too_long_or_short() -> None:
    present = np.zeros(1, bool)
    for ratio, credit in ((1.0, 1.0), (1.4, 0.5), (1 / 1.4, 0.5), (1.96, 0.2), (np.inf, 0.0)):
        assert decay_credit(np.array([ratio]), present, 0.0) == pytest.approx(credit)


def test_decay_credit_of_a_missing_partial_is_nothing() -> None:
    assert decay_credit(np.array([1.0, 1.0]), np.array([True, False]), 0.5) == 0.25


def test_decay_of_nothing_judged_is_undefined() -> None:
    assert np.isnan(decay_ok(np.zeros(0), 0.0))
    assert np.isnan(decay_credit(np.zeros(0), np.zeros(0, bool), 0.0))


def test_overall_is_the_product_of_its_credits() -> None:
    assert overall(1.0, 0.0, 0.0, 0.0, -20.0) == 1.0
    assert overall(1.0, 0.0, 20.0, 0.0, 0.0) == 0.5
    assert overall(0.5, 0.0, 0.0, 10.0, 10.0) == 0.125
    assert overall(0.5, 0.5, 0.0, 0.0, 0.0) == 0.5  # a decay credit counts what is missing itself
    assert overall(NAN, 0.25, NAN, 0.0, 0.0) == 0.75
    assert overall(NAN, NAN, NAN, 0.0, 10.0) == 0.5


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 200), st.floats(0, 60), st.floats(-100, 100))
def test_overall_lies_between_0_and_1(
    decay: float, missing: float, cents: float, envelope: float, excess: float
) -> None:
    assert 0.0 <= overall(decay, missing, cents, envelope, excess) <= 1.0


def test_means_leave_out_what_was_not_judged_and_say_how_many_were() -> None:
    means = mean_scores(
        [scores(decay_ok=0.5, lsd_db=2.0), scores(decay_ok=NAN, lsd_db=4.0, pitch_cents=NAN)]
    )
    assert means["decay_ok"] == 0.5
    assert means["lsd_db"] == 3.0
    assert means["notes"] == 2.0
    assert means["notes_judged"] == 1.0
    assert means["notes_pitched"] == 1.0
    assert set(MEASURES) < set(means)


def test_an_infinite_measure_is_a_fault_and_counts_in_the_mean() -> None:
    """Only what a note gives nothing to judge for is left out, however bad the rest is."""
    means = mean_scores(
        [scores(lsd_db=2.0), scores(lsd_db=float("inf")), scores(lsd_db=NAN, tail_db=-np.inf)]
    )
    assert means["lsd_db"] == float("inf")
    assert means["tail_db"] == -float("inf")
    assert means["envelope_db"] == 1.0


def test_means_of_no_notes_are_undefined() -> None:
    means = mean_scores([])
    assert means["notes"] == 0.0
    assert all(np.isnan(means[measure]) for measure in MEASURES)
