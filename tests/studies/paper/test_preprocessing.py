"""The authors' decimation, as it is known from their code."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.audio import Recording
from notedecay.studies.paper.preprocessing import as_the_authors, step


@pytest.mark.parametrize(
    ("highest_hz", "every", "rate"), [(1400, 15, 2940), (4200, 5, 8820), (5000, 4, 11025)]
)
def test_the_rates_are_theirs(highest_hz: float, every: int, rate: int) -> None:
    assert step(44100, highest_hz) == every
    assert 44100 // every == rate


def level_of(frequency: float) -> float:
    """What is left of a tone, in dB."""
    t = np.arange(2 * 44100) / 44100
    tone = np.sin(2 * np.pi * frequency * t).astype(np.float32)
    kept = as_the_authors(Recording(tone[np.newaxis], 44100), highest_hz=1400, seconds=2.0)
    return float(10 * np.log10(2 * np.mean(np.square(kept[2940:], dtype=np.float64))))


def test_the_band_ends_at_eight_tenths_of_nyquist() -> None:
    assert level_of(5.0) == pytest.approx(0.0, abs=0.1)  # rumble stays
    assert level_of(1150.0) == pytest.approx(0.0, abs=0.1)
    assert level_of(1300.0) == pytest.approx(-7.2, abs=0.5)
    assert level_of(1470.0) < -20


def test_it_is_the_left_channel_from_the_beginning_of_the_file() -> None:
    left = np.zeros(44100, np.float32)
    left[22050:] = 0.5
    both = np.stack([left, np.ones_like(left)])
    kept = as_the_authors(Recording(both, 44100), highest_hz=1400, seconds=5.0)
    assert kept.dtype == np.float32
    assert len(kept) == 2940  # a short file gives fewer samples
    assert np.abs(kept[:1400]).max() < 1e-6
    assert kept[-100:] == pytest.approx(0.5, abs=0.01)
