"""Transposed notes have the pitch and the decay that they should."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.data.note import Clip
from notedecay.models.baselines.esprit import fit_damped
from notedecay.models.transposition import with_transpositions
from tests.synthetic import damped

RATE = 8000
NOTE = Clip("test/A4", 69, damped([440.0], [1.0], rate=RATE), RATE)


def test_pitch_and_decay_follow_the_speed() -> None:
    clips = list(with_transpositions([NOTE], 2))
    assert [c.pitch for c in clips] == [67, 68, 69, 70, 71]
    for clip in clips:
        speed = 2 ** ((clip.pitch - 69) / 12)
        poles, _ = fit_damped(clip.samples[200:3000], 1)
        pole = poles[np.argmax(poles.imag)]
        assert np.angle(pole) * RATE / (2 * np.pi) == pytest.approx(440 * speed, rel=1e-4)
        assert -3 / np.log10(np.abs(pole)) / RATE == pytest.approx(1 / speed, rel=1e-2)
        assert clip.samples.dtype == np.float32
        assert len(clip.samples) == pytest.approx(len(NOTE.samples) / speed, abs=2)


def test_none_leaves_the_notes_as_they_are() -> None:
    assert list(with_transpositions([NOTE, NOTE], 0)) == [NOTE, NOTE]
