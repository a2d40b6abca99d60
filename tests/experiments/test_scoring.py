"""Figures of scored continuations against known numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.experiments.scoring import evaluate, is_oracle, note_rows, plain, with_deviations
from notedecay.metrics import MEASURES, Scores
from notedecay.training.evaluator import EvaluationSet
from tests.synthetic import damped

RATE, PRIME = 4000, 1320


def scores(**changed: float) -> Scores:
    values: dict[str, Any] = dict.fromkeys(MEASURES, 0.0) | {"judged": 1} | changed
    return Scores(**values)


def test_means_and_deviations_are_over_the_notes_that_have_a_value() -> None:
    found = with_deviations(
        [scores(score=0.2, decay_ok=0.5), scores(score=0.4, decay_ok=math.nan, judged=0),
         scores(score=0.9, decay_ok=1.0)]
    )  # fmt: skip
    assert found["score"] == pytest.approx(0.5)
    assert found["score_sd"] == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 3))
    assert found["decay_ok"] == pytest.approx(0.75)
    assert found["decay_ok_sd"] == pytest.approx(0.25)
    assert (found["notes"], found["notes_judged"]) == (3, 2)


def test_without_any_value_means_and_deviations_are_nan() -> None:
    found = with_deviations([scores(envelope_db=math.nan)])
    assert math.isnan(found["envelope_db"])
    assert math.isnan(found["envelope_db_sd"])
    assert found["score_sd"] == 0.0


class WithRumble:
    """Continues with the true samples and a strong tone of 20 Hz."""

    def __init__(self, originals: list[np.ndarray[Any, Any]]) -> None:
        self.originals = originals

    def continue_primes(self, primes: Any, lengths: Any) -> list[np.ndarray[Any, Any]]:
        assert [len(prime) for prime in primes] == [PRIME] * len(self.originals)
        assert [len(original) for original in self.originals] == list(lengths)
        return [original + rumble(len(original), PRIME) for original in self.originals]


def rumble(samples: int, start: int = 0) -> np.ndarray[Any, Any]:
    at = (start + np.arange(samples)) / RATE
    return (0.3 * np.sin(2 * np.pi * 20.0 * at)).astype(np.float32)


@pytest.fixture(scope="module")
def clean() -> list[Clip]:
    return [
        Clip(f"bells/own/{p}", p, damped([hz(p)], [1.2], seconds=1.6, rate=RATE, seed=p), RATE)
        for p in (69, 72)
    ]


def test_rumble_of_a_continuation_is_filtered_before_scoring(clean: list[Clip]) -> None:
    notes = EvaluationSet(clean, PRIME)
    primes = [
        Clip(c.id, c.pitch, np.concatenate([c.samples[:PRIME] + rumble(PRIME), c.samples[PRIME:]
                                            + rumble(len(c.samples) - PRIME, PRIME)]), c.rate)
        for c in clean
    ]  # fmt: skip
    model: Any = WithRumble([clip.samples[PRIME:] for clip in clean])
    same, heavy = evaluate(model, notes)
    filtered, light = evaluate(model, EvaluationSet(primes, PRIME), 100.0)
    assert same is notes
    assert filtered is not notes
    assert all(item.scores.excess_noise_db > 20.0 for item in heavy)
    assert all(item.scores.excess_noise_db < 3.0 for item in light)
    assert all(item.scores.score > 0.9 for item in light)
    for clip, item in zip(filtered.clips, light, strict=True):
        assert item.continuation.shape == clip.samples[PRIME:].shape
        assert np.abs(np.fft.rfft(clip.samples))[:50].max() < 0.05 * len(clip.samples)


def test_the_oracle_continues_damped_sines_perfectly(clean: list[Clip]) -> None:
    notes = EvaluationSet(clean, PRIME)
    used, scored = evaluate(None, notes)
    assert used is notes
    assert all(item.scores.score > 0.9 for item in scored)


def test_a_row_of_a_note_has_its_id_pitch_and_measures(clean: list[Clip]) -> None:
    notes = EvaluationSet(clean, PRIME)
    rows = note_rows(notes.score(notes.originals()))
    assert [(row["note"], row["pitch"]) for row in rows] == [(c.id, c.pitch) for c in clean]
    assert all(row["decay_ok"] == 1.0 for row in rows)
    assert {*MEASURES, "judged"} <= rows[0].keys()


def test_values_that_json_lacks_are_null() -> None:
    value = {"a": [1.5, math.nan, (math.inf, "x")], "b": {"c": np.float64(-np.inf), "d": 3}}
    assert plain(value) == {"a": [1.5, None, [None, "x"]], "b": {"c": None, "d": 3}}


def test_only_the_oracle_is_the_oracle() -> None:
    assert is_oracle("oracle")
    assert not is_oracle("esprit")
