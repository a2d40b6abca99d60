from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.data.decay import HOP, fall_time, levels, stopped_at
from tests.synthetic import damped

RATE = 8000


def ringing(seconds: float = 4.0, t60: float = 4.0) -> audio.Samples:
    return damped(
        [220, 440, 660, 880], [t60, 0.8 * t60, 0.6 * t60, 0.5 * t60], seconds=seconds,
        rate=RATE, noise_db=-75,
    )  # fmt: skip


def stopped(at: float, *, t60: float = 0.5) -> audio.Samples:
    """The same, with a hand laid on the string after ``at`` seconds."""
    note = ringing()
    t = np.arange(len(note)) / RATE
    hand = np.where(t > at, 10 ** (-3 * (t - at) / t60), 1.0)
    noise = 1e-4 * np.random.default_rng(5).standard_normal(len(note))
    return (note * hand + noise).astype(np.float32)


@given(st.floats(0.5, 6.0))
@settings(max_examples=20, deadline=None)
def test_the_decay_of_a_single_partial_is_its_t60(t60: float) -> None:
    level = levels(damped([440], [t60], seconds=1.2 * t60 + 0.2, rate=RATE), RATE)
    assert fall_time(level, 60) == pytest.approx(t60, abs=0.03)
    assert fall_time(level, 40) == pytest.approx(t60 * 2 / 3, abs=0.03)


def test_a_recording_that_ends_first_has_no_t40() -> None:
    level = levels(damped([440], [10.0], seconds=2.0, rate=RATE), RATE)
    assert fall_time(level, 40) is None
    noisy = levels(damped([440], [1.0], seconds=3.0, rate=RATE, noise_db=-40), RATE)
    assert fall_time(noisy, 60) is None


def test_fall_times_are_from_the_peak_to_where_the_level_stays_down() -> None:
    rise, fall = np.arange(-20.0, 0.0, 2.0), np.arange(0.0, -80.0, -1.0)
    level = np.concatenate([rise, fall])
    assert fall_time(level, 40) == pytest.approx(0.4)
    assert fall_time(level, 60) == pytest.approx(0.6)
    beat = level.copy()
    beat[len(rise) + 5 : len(rise) + 8] = -50.0
    assert fall_time(beat, 40) == pytest.approx(0.4)
    assert fall_time(level[: len(rise) + 40], 40) is None


def test_a_level_is_in_db_of_full_scale() -> None:
    t = np.arange(RATE) / RATE
    level = levels((0.1 * np.sin(2 * np.pi * 400 * t)).astype(np.float32), RATE)
    assert level == pytest.approx(-23.01, abs=0.05)
    assert len(level) == round(1 / HOP) - 4
    assert len(levels(np.ones(10, np.float32), RATE)) == 1


@pytest.mark.parametrize("at", [0.3, 0.5, 1.0])
def test_a_hand_on_the_string_is_found(at: float) -> None:
    assert stopped_at(stopped(at), RATE, 220) == pytest.approx(at, abs=0.06)


def test_a_natural_decay_is_left_alone() -> None:
    assert stopped_at(ringing(), RATE, 220) is None
    assert stopped_at(ringing(t60=0.8, seconds=1.5), RATE, 220) is None


def test_beats_are_left_alone() -> None:
    beating = damped([220, 221.3, 440, 441.1], [4, 4, 3, 3], [1, 0.8, 0.5, 0.4], rate=RATE)
    assert stopped_at(beating, RATE, 220) is None


@pytest.mark.parametrize("which", ["low", "high"])
def test_a_sudden_stop_of_some_partials_is_not_hand_damping(which: str) -> None:
    """A hand stops all: here the strong low ones or the weak high ones go on."""
    t = np.arange(4 * RATE) / RATE
    stops = np.where(t > 0.5, 10 ** (-3 * (t - 0.5) / 0.3), 1.0)
    low = damped([220, 440], [4, 3.2], seconds=4.0, rate=RATE)
    high = 0.15 * damped([660, 880], [2.4, 2.0], seconds=4.0, rate=RATE, seed=1)
    noise = 1e-4 * np.random.default_rng(5).standard_normal(len(t))
    some = low * stops + high if which == "low" else low + high * stops
    assert stopped_at((some + noise).astype(np.float32), RATE, 220) is None
    every = ((low + high) * stops + noise).astype(np.float32)
    assert stopped_at(every, RATE, 220) == pytest.approx(0.5, abs=0.06)


def test_a_level_that_returns_within_half_a_second_is_not_hand_damping() -> None:
    t = np.arange(4 * RATE) / RATE
    pause = np.where((t > 0.5) & (t < 0.75), 0.05, 1.0)
    assert stopped_at((ringing() * pause).astype(np.float32), RATE, 220) is None


def test_a_fade_at_the_end_is_left_alone() -> None:
    note = ringing(seconds=3.0)
    note[-2400:] *= np.linspace(1, 0, 2400, dtype=np.float32)
    assert stopped_at(note, RATE, 220) is None
    assert stopped_at(ringing(seconds=1.0), RATE, 220) is None


@pytest.mark.parametrize(("at", "found"), [(1.2, True), (1.68, False)])
def test_a_stop_in_the_last_0_4_s_is_a_trimmed_end(at: float, found: bool) -> None:
    note = ringing(seconds=2.0, t60=8.0)
    t = np.arange(len(note)) / RATE
    faded = note * np.where(t > at, 10 ** (-3 * (t - at) / 0.5), 1.0)
    assert (stopped_at(faded.astype(np.float32), RATE, 220) is not None) is found


def test_the_damped_note_of_the_papers_figure_4(real_data: Path) -> None:
    folder = real_data / "iowa" / "guitar"
    for name, seconds, damped_at in (
        ("Guitar.mf.sulG.C5Db5", 6.0, 0.5),
        ("Guitar.ff.sulB.C5Gb5", 4.8, None),
        ("Guitar.mf.sulB.C5Gb5", 6.8, None),
    ):
        whole = audio.read(folder / f"{name}.flac")
        first = whole.samples[:, : round(seconds * whole.rate)]
        recording = audio.Recording(first, whole.rate)
        samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=50)
        found = stopped_at(audio.from_onset(samples, recording.rate), recording.rate, 523.25)
        assert found == (damped_at and pytest.approx(damped_at, abs=0.05)), name
