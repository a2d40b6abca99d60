"""The trials of a pooling study: which notes train, select the epoch, and are unseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import Signal
from notedecay.studies.pooling.plan import OTHERS, OWN, POOLED, common_signal, trials
from notedecay.studies.study import Placed
from tests.toy import INSTRUMENT

PREPARE = INSTRUMENT["prepare"]
LOW = INSTRUMENT | {"prepare": PREPARE | {"rate": 2000, "highpass_hz": 60.0}}
LONG = INSTRUMENT | {"prepare": PREPARE | {"prime_seconds": 0.5}, "train": INSTRUMENT["train"] | {
    "epochs": 7}}  # fmt: skip
PARAMS = Params.model_validate(
    {"seed": 5, "defaults": INSTRUMENT, "instruments": {"bells": LOW, "gongs": LONG}}
)
PITCHES = {"bells": range(57, 69), "gongs": range(60, 71)}


@pytest.fixture
def placed() -> list[Placed]:
    clips = {
        name: [Clip(f"{name}/own/{p}", p, np.zeros(10, np.float32), 4000) for p in pitches]
        for name, pitches in PITCHES.items()
    }
    best = {"model": "gru", "settings": {"units": 16, "epochs": 99}}
    signal = common_signal(["bells", "gongs"], PARAMS)
    return list(trials(best, signal, clips, Path("pooled.npz"), PARAMS))


def of(placed: list[Placed], instrument: str, label: str) -> list[Placed]:
    return [one for one in placed if (one.condition, one.label) == (instrument, label)]


def notes(instrument: str) -> set[str]:
    return {f"{instrument}/own/{pitch}" for pitch in PITCHES[instrument]}


def test_clips_share_the_highest_rate_and_corner_and_the_longest_prime() -> None:
    assert common_signal(["bells", "gongs"], PARAMS) == Signal(
        instrument="bells-gongs", rate=4000, prime_seconds=0.5, highpass_hz=60.0
    )


@pytest.mark.parametrize("names", [["bells"], ["bells", "bells"], []])
def test_fewer_than_two_instruments_are_refused(names: list[str]) -> None:
    with pytest.raises(UserError, match="two or more different instruments"):
        common_signal(names, PARAMS)


def test_an_instrument_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"no instrument 'bell'.*bells"):
        common_signal(["bell", "gongs"], PARAMS)


@pytest.mark.parametrize("name", PITCHES)
def test_every_note_is_unseen_once_in_each_row(placed: list[Placed], name: str) -> None:
    for label, count in ((OWN, 5), (POOLED, 5), (OTHERS, 1)):
        found = of(placed, name, label)
        assert len(found) == count
        unseen = [id_ for one in found for id_ in one.trial.evaluation["unseen"]]
        assert sorted(unseen) == sorted(notes(name))
    assert len(placed) == 2 * 11


@pytest.mark.parametrize(("name", "other"), [("bells", "gongs"), ("gongs", "bells")])
def test_what_trains_the_models_of_an_instrument(
    placed: list[Placed], name: str, other: str
) -> None:
    for own, pooled in zip(of(placed, name, OWN), of(placed, name, POOLED), strict=True):
        unseen = set(own.trial.evaluation["unseen"])
        assert pooled.trial.evaluation == own.trial.evaluation
        assert pooled.trial.validation == own.trial.validation
        assert {*own.trial.train, *own.trial.validation} == notes(name) - unseen
        assert sorted(pooled.trial.train) == sorted([*own.trial.train, *notes(other)])
    (alone,) = of(placed, name, OTHERS)
    assert {*alone.trial.train, *alone.trial.validation} == notes(other)
    assert alone.trial.validation
    assert not {*alone.trial.train} & {*alone.trial.validation}


def test_all_trials_share_model_settings_signal_and_clips(placed: list[Placed]) -> None:
    for one in placed:
        trial = one.trial
        assert (trial.model, trial.seed, trial.clips) == ("gru", 5, Path("pooled.npz"))
        assert (trial.signal.rate, trial.signal.instrument) == (4000, "bells-gongs")
        epochs = 3 if one.condition == "bells" else 7
        assert trial.settings == {"units": 16, "epochs": epochs}
