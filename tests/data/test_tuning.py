from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.data import pitch
from notedecay.data.tuning import tune
from tests.synthetic import damped


def string(midi: float, *, b: float = 0.0, weak_fundamental: bool = False) -> audio.Samples:
    """A stiff string of 12 partials at 44.1 kHz."""
    f0 = pitch.hz(midi)
    k = np.arange(1, 1 + max(1, min(12, int(20000 / f0))))
    levels = 1 / k
    if weak_fundamental:
        levels[0] = 0.003
    partials = k * f0 * np.sqrt(1 + b * k**2)
    return damped(partials, 6 / k**0.5, levels, seconds=2.0, rate=44100, noise_db=-70)


@given(st.integers(28, 108), st.integers(-90, 90))
@settings(max_examples=25, deadline=None)
def test_the_distance_from_the_name_is_found(midi: int, cents: int) -> None:
    found = tune(string(midi + cents / 100), 44100, midi)
    assert found.cents == pytest.approx(cents, abs=4)
    assert found.f0_hz == pytest.approx(pitch.hz(midi + cents / 100), rel=0.0025)
    assert found.match > 0.9


def test_a_low_stretched_string_with_a_weak_fundamental() -> None:
    found = tune(string(21 + 0.3, b=4e-4, weak_fundamental=True), 44100, 21)
    assert found.cents == pytest.approx(30, abs=6)


def test_an_octave_too_high_leaves_the_odd_partials_empty() -> None:
    assert tune(string(60), 44100, 48).odd < 0.003
    assert tune(string(60), 44100, 60).odd > 0.5


def test_another_pitch_does_not_match() -> None:
    assert tune(string(66), 44100, 61).match < 0.2


@pytest.mark.parametrize(
    ("name", "cents"),
    [("guitar/Guitar.ff.sulB.B3.flac", -18), ("flute/Flute.nonvib.ff.Gb4.stereo.flac", 6)],
)
def test_real_notes(real_data: Path, name: str, cents: float) -> None:
    recording = audio.read(real_data / "iowa" / name)
    samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=40)
    midi = 59 if "B3" in name else 66
    found = tune(audio.from_onset(samples, recording.rate), recording.rate, midi)
    assert found.cents == pytest.approx(cents, abs=5)
