from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from notedecay.metrics import MEASURES, Reference, Scores
from tests.synthetic import damped

RATE = 8400
FREQUENCIES = [220.0 * k for k in range(1, 11)]
T60S = [4.0 / k**0.5 for k in range(1, 11)]
LEVELS = [1 / k for k in range(1, 11)]
PEAK = 0.5
Signal = NDArray[np.float32]


def continuation(
    frequencies: Sequence[float] = FREQUENCIES,
    t60s: Sequence[float] = T60S,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> Signal:
    note = damped(frequencies, t60s, levels, seconds=5.33, rate=RATE, noise_db=-70.0, seed=seed)
    return note[2800:]


ORIGINAL = continuation()
TIME = np.arange(len(ORIGINAL)) / RATE


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(ORIGINAL, RATE, PEAK)


def test_a_perfect_copy_is_perfect(reference: Reference) -> None:
    scores = reference.score(ORIGINAL)
    assert scores.score > 0.999
    assert scores.decay_ok == scores.decay_credit == 1.0
    for measure in (
        "missing",
        "pitch_cents",
        "excess_noise_db",
        "lsd_db",
        "envelope_db",
        "tail_db",
    ):
        assert getattr(scores, measure) == pytest.approx(0.0, abs=1e-9)
    assert scores.join_snr_db == 100.0
    assert scores.judged == 10


def test_true_decay_times(reference: Reference) -> None:
    order = np.argsort(reference.partials.frequency_hz)
    assert reference.t60[order] == pytest.approx(T60S, rel=0.02)


def test_other_phases_of_the_same_note_cost_little(reference: Reference) -> None:
    scores = reference.score(continuation(seed=5))
    assert scores.score > 0.9
    assert scores.decay_ok == 1.0
    assert scores.join_snr_db < 5.0


def test_silence(reference: Reference) -> None:
    scores = reference.score(np.zeros_like(ORIGINAL))
    assert (scores.score, scores.missing, scores.decay_ok) == (0.0, 1.0, 0.0)
    assert np.isnan(scores.pitch_cents)
    assert scores.join_snr_db == pytest.approx(0.0)
    assert scores.lsd_db < 5.0  # why a spectral distance alone must never judge


def test_steady_tone(reference: Reference) -> None:
    levels = 0.15 * np.array(LEVELS)
    tone = (levels[:, None] * np.sin(2 * np.pi * np.outer(FREQUENCIES, TIME))).sum(axis=0)
    scores = reference.score(tone)
    assert scores.missing == 0.0
    assert scores.decay_ok == scores.score == 0.0
    assert scores.tail_db > 40.0


def test_repeated_block(reference: Reference) -> None:
    block = ORIGINAL[: RATE // 60]
    scores = reference.score(np.tile(block, len(ORIGINAL) // len(block) + 1)[: len(ORIGINAL)])
    assert scores.decay_ok == 0.0
    assert scores.score < 0.001
    assert scores.excess_noise_db > 30.0


def test_repeated_block_made_to_decay(reference: Reference) -> None:
    block = ORIGINAL[: RATE // 60]
    comb = np.tile(block, len(ORIGINAL) // len(block) + 1)[: len(ORIGINAL)]
    assert reference.score(comb * 10 ** (-3 * TIME / 2.5)).score < 0.03


@pytest.mark.parametrize(("level_db", "at_most"), [(-10, 0.05), (-20, 0.07), (-40, 0.2)])
def test_limit_cycle_under_a_perfect_decay(
    reference: Reference, level_db: float, at_most: float
) -> None:
    cycle = PEAK * 10 ** (level_db / 20) * np.sin(2 * np.pi * 517 * TIME)
    scores = reference.score(ORIGINAL + cycle)
    assert scores.score < at_most
    assert scores.tail_db > 20.0


def test_re_attack(reference: Reference) -> None:
    half = len(ORIGINAL) // 2
    scores = reference.score(np.concatenate([ORIGINAL[:half], ORIGINAL[: len(ORIGINAL) - half]]))
    assert scores.decay_ok == 1.0  # the first 30 dB are right
    assert scores.tail_db > 20.0
    assert scores.score < 0.15


def test_added_noise_costs_the_more_the_louder_it_is(reference: Reference) -> None:
    noise = np.random.default_rng(1).standard_normal(len(ORIGINAL))
    levels = (-60, -50, -40, -30, -20)
    got = [reference.score(ORIGINAL + PEAK * 10 ** (x / 20) * noise) for x in levels]
    assert [s.score for s in got] == sorted((s.score for s in got), reverse=True)
    assert got[0].score < 0.7
    assert got[2].score < 0.15
    # White noise between the partials rises dB by dB.
    assert got[3].excess_noise_db - got[2].excess_noise_db == pytest.approx(10.0, abs=1.0)


def test_score_falls_smoothly_with_the_error_of_the_decay(reference: Reference) -> None:
    factors = (1.0, 1.1, 1.2, 1.4, 2.0)
    got = [reference.score(continuation(t60s=[t * x for t in T60S])).score for x in factors]
    assert got == sorted(got, reverse=True)
    assert got[1] > 0.6
    assert got[-1] < 0.1


@pytest.mark.parametrize("cents", [2, 5, 10])
def test_pitch(reference: Reference, cents: float) -> None:
    tuned = [f * 2 ** (cents / 1200) for f in FREQUENCIES]
    scores = reference.score(continuation(frequencies=tuned))
    assert scores.pitch_cents == pytest.approx(cents, abs=0.1)
    assert scores.decay_ok == 1.0


def test_one_partial_out_of_tune_is_not_the_pitch_of_the_note(reference: Reference) -> None:
    tuned = [f * 2 ** (15 / 1200) if k == 3 else f for k, f in enumerate(FREQUENCIES)]
    assert reference.score(continuation(frequencies=tuned)).pitch_cents < 0.1


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_the_join_is_judged_by_the_first_50_ms_alone(rate: int) -> None:
    """An error of a tenth of the amplitude: 20 dB, and 3 dB more over half as long."""
    t = np.arange(rate) / rate
    tone = 0.4 * np.sin(2 * np.pi * 1000 * t)
    judge = Reference(tone, rate, 0.4)
    for seconds, snr_db in ((0.025, 23.01), (0.05, 20.0), (0.1, 20.0), (1.0, 20.0)):
        error = np.where(t < seconds, 0.1 * tone, 0.0)
        assert judge.score(tone + error).join_snr_db == pytest.approx(snr_db, abs=0.05)
    later = np.where(t >= 0.05, tone, 0.0)
    assert judge.score(tone + later).join_snr_db == 100.0


def test_decay_credit_ignores_absence_of_partials_without_decay() -> None:
    """The strongest partial holds, so only the two others have a decay to judge."""
    frequencies, t60s, levels = [300.0, 700.0, 1200.0], [1e6, 1.0, 1.0], [1.0, 0.5, 0.3]
    note = damped(frequencies, t60s, levels, rate=RATE, seconds=2.0).astype(np.float64)
    judge = Reference(note, RATE, PEAK)
    z = np.exp(-2j * np.pi * 300 * np.arange(len(note)) / RATE)
    amplitude = 2 * np.mean(note * z)
    without = note - (amplitude * z.conj()).real
    scores = judge.score(without)
    assert scores.judged == 2
    assert scores.missing == pytest.approx(1 / 3)
    assert scores.decay_ok == pytest.approx(2 / 3)
    assert scores.decay_credit == pytest.approx(2 / 3, abs=0.01)


def test_a_decay_that_stops_halfway_is_not_excused_by_its_own_floor() -> None:
    note = damped([440.0], [1.0], rate=RATE, seconds=2.0, noise_db=-80).astype(np.float64)
    held = np.where(TIME[: len(note)] < 0.2, 10 ** (-3 * TIME[: len(note)]), 10**-0.6)
    stuck = 0.5 * held * np.sin(2 * np.pi * 440 * TIME[: len(note)])
    scores = Reference(note, RATE, 0.5).score(stuck)
    assert scores.missing == 0.0
    assert scores.decay_ok == 0.0


def test_differences_below_the_range_of_a_distance_do_not_count() -> None:
    """From 65 dB under its level on, the continuation is silent, which no listener hears."""
    fall_db = 60 * TIME[: 2 * RATE] / 0.8
    note = 0.5 * 10 ** (-fall_db / 20) * np.sin(2 * np.pi * 440 * TIME[: 2 * RATE])
    scores = Reference(note, RATE, 0.5).score(np.where(fall_db < 65, note, 0.0))
    assert scores.envelope_db == pytest.approx(0.0, abs=0.01)
    assert scores.lsd_db == pytest.approx(0.0, abs=0.05)
    sooner = Reference(note, RATE, 0.5).score(np.where(fall_db < 35, note, 0.0))
    assert sooner.envelope_db > 2.0
    assert sooner.lsd_db > 0.1


def test_distances_of_a_note_of_which_half_is_6_db_softer() -> None:
    """The spectral distance is a mean over frames, that of the envelopes an RMS over the note."""
    noise = 0.1 * np.random.default_rng(2).standard_normal(4 * RATE)
    softer = np.where(np.arange(len(noise)) < len(noise) // 2, noise, noise / 2)
    scores = Reference(noise, RATE, 0.5).score(softer)
    assert scores.lsd_db == pytest.approx(6.02 / 2, abs=0.05)
    assert scores.envelope_db == pytest.approx(6.02 / 2**0.5, abs=0.05)


def test_noise_counts_wherever_in_the_note_it_is(reference: Reference) -> None:
    noise = PEAK * 1e-2 * np.random.default_rng(1).standard_normal(len(ORIGINAL))
    late = np.where(TIME[-1] / 2 < TIME, noise, 0.0)
    everywhere, half = (reference.score(ORIGINAL + x).excess_noise_db for x in (noise, late))
    assert everywhere > 20.0
    assert everywhere - half == pytest.approx(3.0, abs=0.3)


def test_no_partial_of_a_rich_note_is_taken_for_noise() -> None:
    rich = [200.0 * k for k in range(1, 19)]
    note = damped(rich, [2.0] * 18, [0.8**k for k in range(18)], rate=RATE, seconds=3.0)
    assert Reference(note, RATE, PEAK).score(note).noise_db < -45.0


def test_missing_partials(reference: Reference) -> None:
    five = continuation(frequencies=FREQUENCIES[:5], t60s=T60S[:5], levels=LEVELS[:5])
    scores = reference.score(five)
    assert scores.missing == 0.5
    assert scores.score < 0.3


def test_level_alone(reference: Reference) -> None:
    scores = reference.score(ORIGINAL / 2)
    assert scores.tail_db == pytest.approx(-6.02, abs=0.01)
    assert scores.join_snr_db == pytest.approx(6.02, abs=0.01)
    assert scores.excess_noise_db == pytest.approx(-6.02, abs=0.01)
    assert scores.decay_ok == 1.0


def test_peak_of_the_original_sets_the_scale() -> None:
    one = Reference(ORIGINAL, RATE, PEAK).score(ORIGINAL * 0.9)
    other = Reference(ORIGINAL * 0.01, RATE, PEAK * 0.01).score(ORIGINAL * 0.009)
    assert other.score == pytest.approx(one.score, abs=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_cannot_be_played_scores_as_silence(reference: Reference, bad: float) -> None:
    broken = ORIGINAL.copy()
    broken[100] = bad
    assert reference.score(broken).score == 0.0
    assert reference.score(broken).missing == 1.0


def test_overflowing_samples_stay_finite(reference: Reference) -> None:
    assert reference.score(np.full_like(ORIGINAL, 3e38)).score < 1e-3


def test_wrong_length_and_unusable_originals(reference: Reference) -> None:
    with pytest.raises(ValueError, match="differs"):
        reference.score(ORIGINAL[:-1])
    for original, rate, peak in (
        (ORIGINAL[:0], RATE, 1.0),
        (np.array([np.nan]), RATE, 1.0),
        (ORIGINAL, RATE, 0.0),
        (ORIGINAL, 10, 1.0),
    ):
        with pytest.raises(ValueError, match=r"original|range"):
            Reference(original, rate, peak)


def test_a_static_note_has_no_decay_to_judge_but_a_score() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * TIME)
    scores = Reference(tone, RATE, 0.1).score(tone)
    assert scores.judged == 0
    assert np.isnan(scores.decay_ok)
    assert np.isnan(scores.decay_credit)
    assert scores.score == pytest.approx(1.0)
    assert Reference(tone, RATE, 0.1).score(0 * tone).score == 0.0


def test_an_original_without_partials() -> None:
    flat = Reference(np.zeros(RATE), RATE, 1.0)
    scores = flat.score(np.zeros(RATE))
    assert np.isnan(scores.missing)
    assert scores.score == pytest.approx(1.0)
    loud = flat.score(np.random.default_rng(0).standard_normal(RATE))
    assert loud.score < 0.1


@given(samples=st.integers(1, 3000), rate=st.sampled_from([1000, 2940, 8400, 44100]))
@settings(max_examples=40, deadline=None)
def test_notes_of_any_length_can_be_scored(samples: int, rate: int) -> None:
    note = damped([150.0, 310.0], [1.0, 0.5], seconds=3000 / rate, rate=rate)[:samples]
    scores = Reference(note, rate, 0.5).score(note)
    assert scores.score == pytest.approx(1.0)
    assert all(isinstance(getattr(scores, m), float) for m in MEASURES)


def test_scores_are_plain_and_frozen(reference: Reference) -> None:
    scores = reference.score(ORIGINAL)
    assert isinstance(scores, Scores)
    with pytest.raises(AttributeError):
        scores.score = 2.0  # type: ignore[misc]


def test_what_depends_on_the_original_alone_is_measured_once(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training scores thousands of continuations of the same originals."""
    for name in ("dominant_partials", "known_partials", "envelope_floors", "beside_partials"):
        monkeypatch.delattr(f"notedecay.metrics.reference.{name}")
    assert reference.score(ORIGINAL).score == pytest.approx(1.0)
