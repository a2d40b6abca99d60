from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.metrics import fit_stages, partial_envelopes
from tests.synthetic import damped

RATE = 8400
PITCH = 440.0


def envelope(note: np.ndarray, frequency: float = PITCH) -> np.ndarray:
    return partial_envelopes(note.astype(np.float64), RATE, np.array([frequency]))[0]


def two_stages(
    first: float, second: float, level_db: float, *, noise_db: float | None = None, seed: int = 0
) -> np.ndarray:
    levels = [1.0, 10 ** (level_db / 20)]
    return damped(
        [PITCH, PITCH],
        [first, second],
        levels,
        seconds=5.0,
        rate=RATE,
        noise_db=noise_db,
        seed=seed,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("first", "second", "level_db"), [(1.0, 5.0, -15), (0.6, 8.0, -20)])
def test_both_stages_within_2_percent_whatever_their_phases(
    first: float, second: float, level_db: float, seed: int
) -> None:
    stages = fit_stages(envelope(two_stages(first, second, level_db, seed=seed)))
    assert stages is not None
    assert stages.two
    assert stages.first_t60 == pytest.approx(first, rel=0.02)
    assert stages.second_t60 == pytest.approx(second, rel=0.02)
    # The first value lies 50 ms into the note, where the fast stage has lost more.
    lost = 60 * 0.05 * (1 / first - 1 / second)
    assert stages.second_db == pytest.approx(level_db + lost, abs=0.5)


@pytest.mark.parametrize("noise_db", [-76.0, -66.0])
def test_both_stages_under_noise(noise_db: float) -> None:
    stages = fit_stages(envelope(two_stages(1.0, 5.0, -15.0, noise_db=noise_db)))
    assert stages is not None
    assert stages.second_t60 == pytest.approx(5.0, rel=0.05)
    assert stages.first_t60 == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("t60", [0.4, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("noise_db", [None, -66.0, -46.0])
def test_one_stage_is_no_two_even_where_it_ends_in_noise(
    t60: float, noise_db: float | None
) -> None:
    stages = fit_stages(envelope(damped([PITCH], [t60], seconds=5.0, rate=RATE, noise_db=noise_db)))
    assert stages is not None
    assert (stages.two, stages.second_t60, stages.second_db) == (False, None, None)
    assert stages.first_t60 == pytest.approx(t60, rel=0.04)


@pytest.mark.parametrize("spacing", [0.5, 1.5, 4.0])
def test_beating_is_no_second_stage(spacing: float) -> None:
    note = damped([PITCH, PITCH + spacing], [3.0, 3.0], [1.0, 0.6], seconds=5.0, rate=RATE)
    stages = fit_stages(envelope(note))
    assert stages is not None
    assert not stages.two


def test_a_hum_under_a_decay_is_no_second_stage() -> None:
    note = damped([PITCH, PITCH], [1.0, 1e6], [1.0, 0.01], seconds=5.0, rate=RATE)
    stages = fit_stages(envelope(note))
    assert stages is not None
    assert not stages.two
    # At the partial's own frequency a hum does not add in power as noise does.
    assert stages.first_t60 == pytest.approx(1.0, rel=0.2)


def test_a_steady_tone_is_a_stage_that_never_ends() -> None:
    stages = fit_stages(envelope(damped([PITCH], [1e6], rate=RATE)))
    assert stages is not None
    assert np.isposinf(stages.first_t60)
    assert stages.heard == len(stages.curve_db)


def test_nothing_to_fit() -> None:
    assert fit_stages(np.full(200, -200.0)) is None
    assert fit_stages(np.zeros(19)) is None


def test_the_curve_ends_where_the_noise_is() -> None:
    stages = fit_stages(envelope(damped([PITCH], [1.0], seconds=5.0, rate=RATE, noise_db=-46.0)))
    assert stages is not None
    assert stages.noise_db == pytest.approx(-46.0 - 23.0, abs=3.0)  # what 100 ms let through
    assert stages.heard == pytest.approx(90, abs=8)


@given(st.lists(st.floats(-120.0, 0.0, width=32), min_size=0, max_size=60))
@settings(max_examples=25, deadline=None)
def test_any_envelope_gets_stages_in_range_or_none(levels: list[float]) -> None:
    stages = fit_stages(np.array(levels))
    if stages is not None:
        assert stages.first_t60 > 0.0
        assert np.isfinite(stages.curve_db).all()
        assert stages.two == (stages.second_db is not None)
        if stages.second_t60 is not None:
            assert stages.second_t60 >= 1.5 * stages.first_t60
