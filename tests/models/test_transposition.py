"""Transposed notes have the pitch and the decay that they should."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.data.note import Clip
from notedecay.models import transposition
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


def test_copies_that_are_not_kept_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = with_transpositions([NOTE, NOTE], 1)
    monkeypatch.setattr(transposition, "KEPT_BYTES", int(1.5 * NOTE.samples.nbytes))
    some = with_transpositions([NOTE, NOTE], 1)
    assert len(kept) == len(some) == 6
    for one, other in zip(kept, some, strict=True):
        assert one.pitch == other.pitch
        assert np.array_equal(one.samples, other.samples)
    assert kept[5] is kept[5]
    assert some[0] is some[0]  # the first copy has room, and no other
    assert some[5] is not some[5]
    assert [clip.pitch for clip in some[2:5]] == [70, 68, 69]
    with pytest.raises(IndexError):
        some[6]
