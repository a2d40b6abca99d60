"""A panel: the same notes, the same measures, for every continuator."""

from __future__ import annotations

import math

import numpy as np
import pytest

from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.metrics import attractor
from notedecay.models import Signal, create
from notedecay.training.evaluator import EvaluationSet, spread
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
PRIME = SIGNAL.prime_samples
T60 = 1.2


def note(pitch: int, t60: float = T60, take: str = "ff", seconds: float = 1.6) -> Clip:
    f0 = hz(pitch)
    sound = damped([f0, 2 * f0], [t60, t60], [1, 0.5], seconds=seconds, rate=RATE, seed=pitch)
    return Clip(f"bells/{take}/{pitch}", pitch, sound, RATE)


CLIPS = [note(60), note(64, seconds=1.4), note(67)]


@pytest.fixture(scope="module")
def panel() -> EvaluationSet:
    return EvaluationSet(CLIPS, PRIME)


def test_every_prime_is_continued_to_its_note_s_end(panel):
    judged = panel.evaluate(create("esprit", SIGNAL, {"order": 8}))
    assert [j.clip for j in judged] == CLIPS
    for item, clip in zip(judged, CLIPS, strict=True):
        assert len(item.continuation) == len(clip.samples) - PRIME
        np.testing.assert_allclose(item.continuation, clip.samples[PRIME:], atol=1e-4)
        assert item.scores.score > 0.98
        assert item.scores.decay_ok == 1.0


def test_silence_and_endless_repetition_score_badly(panel):
    silent = panel.evaluate(create("silence", SIGNAL, {}))
    assert [j.scores.score for j in silent] == [0.0] * 3
    endless = panel.evaluate(create("repeat", SIGNAL, {}))
    assert max(j.scores.decay_ok for j in endless) == 0.0


def test_each_continuation_is_compared_with_its_own_note(panel):
    right = panel.score(panel.originals())
    wrong = panel.score([note(p, seconds=3).samples[: len(o)] for p, o in
                           zip((61, 65, 68), panel.originals(), strict=True)])  # fmt: skip
    assert min(j.scores.score for j in right) > 0.98
    assert max(j.scores.score for j in wrong) < 0.3


def test_one_continuation_for_each_note_is_asked_for(panel):
    with pytest.raises(ValueError, match="shorter"):
        panel.score(panel.originals()[:2])


def test_decays_are_the_true_ones_and_those_of_what_was_made(panel):
    fast = [note(c.pitch, t60=0.6).samples for c in CLIPS]
    made = [s[PRIME : len(c.samples)] for s, c in zip(fast, CLIPS, strict=True)]
    partials = panel.partials(panel.score(made))
    assert [(p.pitch, p.rank) for p in partials] == [(60, 1), (60, 2), (64, 1), (64, 2), (67, 1),
                                                     (67, 2)]  # fmt: skip
    assert [p.frequency_hz for p in partials[:2]] == pytest.approx([hz(60), 2 * hz(60)], rel=1e-3)
    assert partials[0].level_db - partials[1].level_db == pytest.approx(6.0, abs=0.5)
    assert [p.t60 for p in partials] == pytest.approx([T60] * 6, rel=0.03)
    assert [p.t60_made for p in partials] == pytest.approx([0.6] * 6, rel=0.1)
    for same in panel.partials(panel.score(panel.originals())):
        assert same.t60_made == pytest.approx(same.t60, rel=1e-6)


def test_levels_of_partials_are_relative_to_the_peak_of_the_whole_note():
    """A fall of 50 dB/s: 16.5 dB in the prime, some 7 more to the middle of what is measured."""
    sound = damped([hz(60)], [T60], seconds=1.6, rate=RATE)
    alone = EvaluationSet([Clip("bells/ff/60", 60, sound, RATE)], PRIME)
    (partial,) = alone.partials(alone.score(alone.originals()))
    assert partial.level_db == pytest.approx(-23.0, abs=1.5)


def test_notes_that_end_in_one_sound_are_an_attractor(panel):
    hum = damped([200.0], [30.0], seconds=1.6, rate=RATE)
    assert panel.attractor(panel.score([hum[: len(o)] for o in panel.originals()])) > 0.99
    assert panel.attractor(panel.score(panel.originals())) < 0.2


def test_two_takes_of_one_pitch_are_no_attractor():
    soft = EvaluationSet([note(60), note(60, take="pp"), note(64)], PRIME)
    takes = soft.score(soft.originals())
    assert attractor([j.continuation for j in takes], RATE) > 0.99  # the takes are the same
    assert soft.attractor(takes) < 0.2
    assert math.isnan(soft.attractor(takes[:2]))


def test_few_are_spread_over_the_pitches_and_the_same_each_time():
    clips = [note(pitch, seconds=0.5) for pitch in (70, 60, 66, 62, 68, 64)]
    assert [c.pitch for c in spread(clips, 3)] == [62, 66, 70]
    assert [c.pitch for c in spread(clips[::-1], 3)] == [62, 66, 70]
    assert [c.pitch for c in spread(clips, 1)] == [66]
    assert [c.pitch for c in spread(clips, 9)] == [60, 62, 64, 66, 68, 70]
    assert [c.pitch for c in spread(clips, 2)] == [62, 68]
