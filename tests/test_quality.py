"""Scores of frozen models on real notes: a change of code that costs quality is noticed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from notedecay import audio, champions
from notedecay.metrics import Reference
from notedecay.models import Signal, create, load

TOLERANCE = 0.01
"""Another machine's arithmetic moves a score by less; what costs quality moves it by more."""
SECONDS = 5.0

CELLO = {
    "cello/Cello.pizz.ff.sulC.E2.stereo.flac": 0.214,
    "cello/Cello.pizz.ff.sulA.A3.stereo.flac": 0.252,
    "cello/Cello.pizz.ff.sulA.A4.stereo.flac": 0.212,
}

GUITAR = {
    "guitar/Guitar.ff.sulB.B3.flac": 0.423,
    "guitar/Guitar.mf.sulB.B3.flac": 0.163,
    "guitar/Guitar.pp.sulB.B3.flac": 0.079,
}
"""Of another guitar than the one that the shipped model was trained on."""


@dataclass(frozen=True)
class Golden:
    """A frozen model, and its score on notes below ``shared/data/iowa``."""

    load: Callable[[], Any]
    scores: dict[str, float]


def esprit() -> Any:
    return create("esprit", Signal(instrument="cello", rate=8400), {})


def shipped_guitar() -> Any:
    return load(Path(champions.__file__).parent / "guitar")


GOLDEN = {
    "esprit": Golden(esprit, CELLO),
    "shipped guitar": Golden(shipped_guitar, GUITAR),
}


def score(model: Any, path: Path) -> float:
    """Score of the continuation of a note's prime, 0 to 1."""
    signal = model.signal
    recording = audio.read(path)
    whole = audio.cleaned(recording, rate=signal.rate, highpass_hz=signal.highpass_hz)
    note = audio.from_onset(whole, signal.rate)[: round(SECONDS * signal.rate)]
    prime, original = np.split(note, [signal.prime_samples])
    reference = Reference(original, signal.rate, float(np.abs(note).max()))
    return reference.score(model.continue_prime(prime, len(original))).score


@pytest.mark.parametrize("name", GOLDEN)
def test_the_scores_of_a_frozen_model_stay(real_data: Path, name: str) -> None:
    model, expected = GOLDEN[name].load(), GOLDEN[name].scores
    found = {file: score(model, real_data / "iowa" / file) for file in expected}
    assert found == pytest.approx(expected, abs=TOLERANCE)
    mean = float(np.mean(list(expected.values())))
    assert np.mean(list(found.values())) == pytest.approx(mean, abs=TOLERANCE / 2)
