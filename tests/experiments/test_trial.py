"""The fingerprint of a trial: whatever changes a figure changes it, and nothing else."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from notedecay.data.clips import read_clips, write_clips
from notedecay.experiments import fingerprint
from notedecay.experiments.trial import UNSEEN, Artifacts
from tests.experiments.bells import IDS, SETTINGS, SIGNAL, make_clips, make_trial


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    return make_clips(tmp_path / "clips.npz")


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 4},
        {"model": "gru"},
        {"settings": {**SETTINGS, "units": 17}},
        {"signal": SIGNAL.model_copy(update={"prime_seconds": 0.2})},
        {"train": IDS[:3]},
        {"validation": IDS[5:6]},
        {"validation": ()},
        {"evaluation": {UNSEEN: IDS[6:]}},
        {"check_every": 3},
        {"padded_seconds": 2.0},
        {"evaluation_highpass_hz": 30.0},
    ],
)
def test_what_changes_a_figure_changes_the_fingerprint(
    clips: Path, changed: dict[str, Any]
) -> None:
    assert make_trial(clips, **changed).fingerprint != make_trial(clips).fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"artifacts": Artifacts(listen=IDS, diagnose_every=1, model=True)},
        {"settings": {**SETTINGS, "layers": 1}},  # the default
    ],
)
def test_what_changes_no_figure_leaves_it(clips: Path, changed: dict[str, Any]) -> None:
    assert make_trial(clips, **changed).fingerprint == make_trial(clips).fingerprint


def test_the_interval_of_evaluations_without_validation_notes_is_no_matter(clips: Path) -> None:
    bare = make_trial(clips, validation=())
    assert replace(bare, check_every=5).fingerprint == bare.fingerprint


def test_it_depends_on_the_samples_of_its_notes_and_not_on_where_they_are(
    clips: Path, tmp_path: Path
) -> None:
    before = make_trial(clips, train=IDS[:3]).fingerprint
    elsewhere = make_clips(tmp_path / "deep/other.npz")
    assert make_trial(elsewhere, train=IDS[:3]).fingerprint == before
    held = {clip.id: clip for clip in read_clips(clips)}

    def louder(id_: str, path: Path) -> Path:
        changed = held | {id_: replace(held[id_], samples=held[id_].samples * np.float32(1.01))}
        write_clips(list(changed.values()), path)
        return path

    other = louder(IDS[3], tmp_path / "unused.npz")  # neither trained on nor evaluated
    assert make_trial(other, train=IDS[:3]).fingerprint == before
    used = louder(IDS[0], tmp_path / "used.npz")
    assert make_trial(used, train=IDS[:3]).fingerprint != before


def test_an_edit_of_another_model_leaves_it(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of the trial's own model is part of it, that of others is not."""
    asked: list[tuple[str, ...]] = []

    def digest(roots: tuple[str, ...], _: object) -> str:
        asked.append(tuple(roots))
        return "code"

    fingerprint.training_code.cache_clear()
    monkeypatch.setattr(fingerprint, "code_digest", digest)
    assert make_trial(clips).fingerprint
    fingerprint.training_code.cache_clear()
    own = [root for root in asked[0] if root.startswith("notedecay.models.")]
    assert own == ["notedecay.models.recurrent.lstm"]


def test_it_survives_pickling_for_another_process(clips: Path) -> None:
    trial = make_trial(clips)
    assert pickle.loads(pickle.dumps(trial)).fingerprint == trial.fingerprint
