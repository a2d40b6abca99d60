"""Partials of a prime and their features, against notes of known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from notedecay.models.modal.features import (
    LEVEL_SCALE_DB,
    PLAIN_COLUMNS,
    SLOPE_SCALE,
    feature_count,
    partial_features,
)
from notedecay.models.modal.partials import MAX_PARTIALS, find_partials
from tests.synthetic import damped


@pytest.mark.parametrize("rate", [4000, 8400, 44_100])
@pytest.mark.parametrize("seconds", [0.15, 0.33, 0.5])
def test_frequency_damping_and_what_follows(rate: int, seconds: float) -> None:
    frequencies, t60s = [220.0, 447.0, 683.0], [2.0, 1.5, 1.2]
    note = damped(frequencies, t60s, [1, 0.5, 0.2], rate=rate).astype(np.float64)
    end = round(seconds * rate)
    found = find_partials(note[:end], rate)
    loud = np.abs(found.amplitude) > 0.002
    assert np.allclose(found.frequency_hz[loud], frequencies, atol=0.2)
    assert np.allclose(found.damping[loud], 3 * np.log(10) / np.array(t60s), atol=0.5)
    t = np.arange(round(0.05 * rate)) / rate
    parts = np.exp(np.outer(t, 2j * np.pi * found.frequency_hz - found.damping)) @ found.amplitude
    error = note[end : end + len(t)] - parts.real
    assert np.square(error).sum() < 1e-3 * np.square(note[end : end + len(t)]).sum()


def test_the_features_do_not_depend_on_the_level() -> None:
    note = damped([220, 447], [2.0, 1.2], rate=4000)[:1320].astype(np.float64)
    partials = find_partials(note, 4000)
    features = partial_features(note, 4000, partials)
    assert features.shape == (len(partials), feature_count())
    assert np.isfinite(features).all()
    again = partial_features(note / 2, 4000, partials)
    assert np.allclose(features, again, atol=1e-3)


@pytest.mark.parametrize("t60", [0.5, 2.0])
def test_all_features_of_slope_agree_on_one_partial_that_falls_steadily(t60: float) -> None:
    """By its damping, over five stretches of the prime, and in three neighbour_weights by two."""
    prime = damped([440], [t60], rate=4000)[:1320].astype(np.float64)
    prime /= np.abs(prime).max()
    partials = find_partials(prime, 4000)
    loudest = int(np.abs(partials.amplitude).argmax())
    features = partial_features(prime, 4000, partials)[loudest]
    slopes_db_per_s = SLOPE_SCALE * np.sinh(features[[2, *range(11, 16), *range(20, 26)]])
    assert slopes_db_per_s == pytest.approx(np.full(12, -60 / t60), rel=0.05)


def test_a_feature_measures_how_far_a_partial_stands_over_the_noise() -> None:
    def over_noise(noise_db: float) -> np.ndarray:
        note = damped([220, 1000], [9.0, 9.0], [1, 0.1], rate=4000, noise_db=noise_db)
        prime = note[:1320].astype(np.float64)
        partials = find_partials(prime, 4000)
        near = [np.abs(partials.frequency_hz - f).argmin() for f in (220, 1000)]
        return LEVEL_SCALE_DB * partial_features(prime, 4000, partials)[near, PLAIN_COLUMNS - 1]

    loud, soft = over_noise(-40), over_noise(-60)
    assert np.allclose(soft - loud, 20, atol=3)
    assert loud[0] - loud[1] == pytest.approx(20, abs=6)  # noise is not as loud everywhere


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, st.integers(0, 700), elements=st.floats(-1, 1, width=32)))
def test_any_samples_give_finite_partials_and_features(prime: np.ndarray) -> None:
    partials = find_partials(prime, 2000)
    assert len(partials) <= MAX_PARTIALS
    assert np.isfinite(partials.amplitude).all()
    assert np.isfinite(partials.damping).all()
    if len(partials):
        assert np.isfinite(partial_features(prime, 2000, partials)).all()
