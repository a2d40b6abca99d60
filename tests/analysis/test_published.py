"""Real notes: the authors' published audio, and the measures against themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from notedecay.analysis import (
    Reference,
    Scores,
    decay_times,
    dominant_partials,
    envelope_floors,
    is_judged,
    mean_scores,
    partial_envelopes,
)
from notedecay.analysis import decay as decay_module
from notedecay.analysis.scores import decay_ok
from notedecay.audio import cleaned, from_onset, read

# What the authors' decimation left of 44.1 kHz, and the corner that takes the rumble away.
RATES = {"Cello": 11025, "Guitar": 2940, "Piano": 8820}
CORNERS = {"Cello": 40.0, "Guitar": 50.0, "Piano": 25.0}


def published(folder: Path, *, without_rumble: bool) -> Iterator[tuple[str, Scores]]:
    for generated in sorted(folder.glob("*/*_gen.flac")):
        base = generated.name.removesuffix("_gen.flac")
        family = re.match(r"\w+", base)
        assert family
        rate, corner = RATES[family[0]], CORNERS[family[0]] if without_rumble else 0.0
        note, whole, alone = (
            cleaned(read(generated.with_name(name)), rate=rate, highpass_hz=corner)
            for name in (f"{base}.flac", generated.name, f"{base}_gen_wp.flac")
        )
        # The prime is what the file without it lacks: one folder's name promises more.
        prime = len(whole) - len(alone)
        samples = min(len(note), len(whole)) - prime
        reference = Reference(note[prime:][:samples], rate, float(np.abs(note).max()))
        yield f"{generated.parent.name[0]} {base}", reference.score(whole[prime:][:samples])


def test_published_continuations_score_as_known(real_data: Path) -> None:
    """Reference row: decay_ok 0.07 (median 0), missing 0.33, cents 2, lsd 12.7, noise 5 to 29."""
    scores = dict(published(real_data / "paper_results", without_rumble=True))
    means = mean_scores(list(scores.values()))
    assert means["notes"] == means["notes_judged"] == 17
    assert means["decay_ok"] == pytest.approx(0.07, abs=0.03)
    assert np.median([s.decay_ok for s in scores.values()]) == pytest.approx(0.0, abs=0.02)
    assert means["missing"] == pytest.approx(0.33, abs=0.06)
    assert np.median([s.pitch_cents for s in scores.values()]) == pytest.approx(2.0, abs=1.0)
    excess = [s.excess_noise_db for s in scores.values()]
    assert np.percentile(excess, (10, 90)) == pytest.approx([5.0, 29.0], abs=4.0)
    assert means["score"] < 0.05


def test_published_envelopes_score_as_known_with_the_rumble_left_in(real_data: Path) -> None:
    """Reference row: envelope 12.3, lsd 12.7; without the rumble the tails differ by 25 dB."""
    means = mean_scores(
        [s for _, s in published(real_data / "paper_results", without_rumble=False)]
    )
    assert means["envelope_db"] == pytest.approx(12.3, abs=0.7)
    assert means["lsd_db"] == pytest.approx(12.7, abs=1.5)
    assert means["decay_ok"] == pytest.approx(0.07, abs=0.02)
    assert means["missing"] == pytest.approx(0.33, abs=0.05)


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
