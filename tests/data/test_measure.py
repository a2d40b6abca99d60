from __future__ import annotations

import re

import numpy as np
import pytest

from notedecay import audio
from notedecay.audio import Recording
from notedecay.data.measure import Figures, measure
from tests.synthetic import damped

RATE = 22_050


def note(f0: float = 220.0, *, seconds: float = 3.0) -> audio.Samples:
    return damped(
        [f0, 2 * f0, 3 * f0], [2.4, 1.8, 1.2], [1, 0.5, 0.3],
        seconds=seconds, rate=RATE, noise_db=-80,
    )  # fmt: skip


def figures(samples: audio.Samples, midi: int = 57) -> Figures:
    raw = Recording(samples[np.newaxis], RATE)
    return measure(raw, audio.cleaned(raw, rate=RATE, highpass_hz=25), midi)


def test_a_good_note() -> None:
    found = figures(note())
    assert found.flags == ()
    assert found.f0_hz == pytest.approx(220, rel=0.002)
    assert found.cents == pytest.approx(0, abs=4)
    assert found.peak_dbfs == pytest.approx(-6, abs=0.2)
    assert found.t40 is not None
    assert 1.2 < found.t40 < 1.6
    assert found.t60 is not None
    assert 1.9 < found.t60 < 2.4


def stopped() -> audio.Samples:
    whole = note()
    t = np.arange(len(whole)) / RATE
    return whole * np.where(t > 0.5, 10 ** (-3 * (t - 0.5) / 0.3), 1.0).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "midi", "reason"),
    [
        (0 * note(), 57, "silent"),
        (note(seconds=0.6), 57, r"too short \(0\.\d\d s"),
        (np.clip(3 * note(), -1, 1), 57, "clipped"),
        (note(220 * 2 ** (80 / 1200)), 57, r"mistuned \(\+8\d cents from A3\)|\+7\d cents"),
        (note(220 * 2 ** (-80 / 1200)), 57, r"mistuned \(-(8\d|7\d) cents from A3\)"),
        (note(440), 57, r"mistuned \(an octave above A3\)"),
        (note(311.1), 57, "mistuned"),
        (stopped(), 57, r"hand-damped or released at 0\.5"),
    ],
)
def test_what_is_unfit_says_why(samples: audio.Samples, midi: int, reason: str) -> None:
    flags = figures(samples, midi).flags
    assert any(re.search(reason, flag) for flag in flags), flags


def stereo(second: audio.Samples) -> Figures:
    raw = Recording(np.stack([note(), second]), RATE)
    return measure(raw, audio.cleaned(raw, rate=RATE, highpass_hz=25), 57)


def test_channels_that_cancel_are_set_aside_or_warned_of() -> None:
    assert stereo(-note()).flags == ("silent when mixed to mono (its channels cancel)",)
    faint = stereo(np.float32(-0.9995) * note())  # 66 dB less than -6 dBFS is left
    assert faint.flags == ("silent when mixed to mono (its channels cancel)",)
    nearly = stereo(np.float32(-0.8) * note())
    assert nearly.flags == ()
    assert nearly.warnings == (
        "channels cancel in part, 19 dB are lost by mixing them to mono",
    )  # 0.1 of the amplitude against the mean of 1 and 0.64 of the energy
    assert stereo(0 * note()).warnings == stereo(note()).warnings == ()


def test_only_every_third_partial_is_another_note() -> None:
    assert figures(note(3 * 220.0)).flags == (
        "mistuned (its partials are only some of those of A3)",
    )
    assert figures(note(110.0)).flags == ("mistuned (an octave below A3)",)


def test_a_foreign_note_has_no_fundamental() -> None:
    found = figures(note(440))
    assert found.f0_hz is None
    assert found.cents is None


@pytest.mark.parametrize("seconds", [0.9, 1.2])
def test_a_note_long_enough_to_be_continued_is_kept(seconds: float) -> None:
    assert not [flag for flag in figures(note(seconds=seconds)).flags if "short" in flag]
