"""Real notes: the measures against themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from notedecay.audio import cleaned, from_onset, read
from notedecay.metrics import (
    Reference,
    decay_times,
    dominant_partials,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics import decay as decay_module
from notedecay.metrics.scores import decay_ok


def cello(folder: Path) -> list[NDArray[np.float64]]:
    """Every fourth note after its prime, 10 kHz, up to 3 s, divided by its peak."""
    notes = []
    for file in sorted(folder.glob("*.flac"))[::4]:
        note = from_onset(cleaned(read(file), rate=10_000, highpass_hz=40.0), 10_000)[:30_000]
        notes.append(note[3300:].astype(np.float64) / np.abs(note).max())
    return notes


def test_decay_measured_over_20_db_agrees_with_30_db(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference row: the measure against itself keeps 0.89 of the cello's decays."""
    shares = []
    for note in cello(real_data / "iowa" / "cello"):
        partials = dominant_partials(note, 10_000)
        envelopes = partial_envelopes(note, 10_000, partials.frequency_hz)
        floors = envelope_floors(envelopes)
        over_30 = decay_times(envelopes, floors)
        with monkeypatch.context() as patch:
            patch.setattr(decay_module, "FIT_RANGE_DB", 20.0)
            over_20 = decay_times(envelopes, floors)
        judged = is_judged(over_30)
        shares.append(decay_ok(over_20[judged] / over_30[judged], 0.0))
    assert np.nanmean(shares) == pytest.approx(0.89, abs=0.05)


def test_real_notes_against_themselves_silence_and_a_repeated_block(real_data: Path) -> None:
    for note in cello(real_data / "iowa" / "cello"):
        reference = Reference(note, 10_000, 1.0)
        block = np.tile(note[:167], len(note) // 167 + 1)[: len(note)]
        assert reference.score(note).score == pytest.approx(1.0)
        assert reference.score(0.0 * note).score == 0.0
        assert reference.score(block).score < 0.005
        assert reference.score(note).judged > 0
