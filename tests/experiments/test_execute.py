"""A trial: what it leaves, and that it resumes where it was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notedecay.experiments.execute import execute
from notedecay.experiments.search.pruning import PruneRule
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import PRUNED, Artifacts, Trial
from notedecay.models import load
from notedecay.models.recurrent.lstm import Lstm
from notedecay.training.selection import CHECKPOINT_SCORE
from tests.experiments.bells import IDS, make_clips, make_trial

EVERYTHING = Artifacts(listen=(IDS[0], IDS[6]), diagnose_every=3, model=True)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return make_trial(make_clips(tmp_path_factory.mktemp("data") / "clips.npz"))


@pytest.fixture
def store(tmp_path: Path) -> TrialStore:
    return TrialStore(tmp_path / "trials")


def go_on(_: int, __: int, ___: Mapping[str, float]) -> None: ...


def figures(store: TrialStore, trial: Trial) -> dict[str, Any]:
    result = store.result(trial)
    result["history"] = [
        {k: v for k, v in row.items() if k != "epoch_seconds"} for row in result["history"]
    ]
    return {k: v for k, v in result.items() if k not in ("seconds", "cost")}


def test_it_leaves_figures_audio_pictures_and_the_model(trial: Trial, store: TrialStore) -> None:
    whole = replace(trial, artifacts=EVERYTHING)
    epochs: list[tuple[int, int, bool]] = []

    def note(epoch: int, of: int, metrics: Mapping[str, float]) -> None:
        epochs.append((epoch, of, CHECKPOINT_SCORE in metrics))

    execute(whole, store, "cpu", note)
    assert epochs == [(n, 6, n % 2 == 0) for n in range(1, 7)]
    result, folder = store.result(whole), store.folder(whole)
    assert result["ended"] == "complete"
    assert result["epoch"] in (2, 4, 6)
    assert [row["epoch"] for row in result["history"]] == list(range(1, 7))
    assert set(result["figures"]) == {"seen", "unseen"}
    assert [note["note"] for note in result["notes"]["unseen"]] == list(IDS[6:])
    sounds = {path.parent.name for path in (folder / "listen").rglob("with_prime.wav")}
    assert sounds == {IDS[0].replace("/", "."), IDS[6].replace("/", ".")}
    assert list((folder / "diagnosis").glob("*.png"))
    assert load(folder / "model").name == "lstm"
    assert not store.unfinished(whole).exists()


def test_its_score_is_that_of_the_selected_epoch(trial: Trial, store: TrialStore) -> None:
    execute(trial, store, "cpu", go_on)
    result = store.result(trial)
    scores = {r["epoch"]: r[CHECKPOINT_SCORE] for r in result["history"] if CHECKPOINT_SCORE in r}
    assert result["score"] == scores[result["epoch"]]


def test_without_validation_notes_the_last_epoch_is_kept(trial: Trial, store: TrialStore) -> None:
    bare = replace(trial, validation=())
    execute(bare, store, "cpu", go_on)
    result = store.result(bare)
    assert (result["epoch"], result["score"]) == (6, None)
    assert not any(CHECKPOINT_SCORE in row for row in result["history"])


def test_a_finished_trial_is_not_run_again(trial: Trial, store: TrialStore) -> None:
    execute(trial, store, "cpu", go_on)
    epochs: list[int] = []
    execute(trial, store, "cpu", lambda n, _, __: epochs.append(n))
    assert epochs == []


def test_artifacts_that_are_asked_for_later_are_made(trial: Trial, store: TrialStore) -> None:
    execute(trial, store, "cpu", go_on)
    before = figures(store, trial)
    whole = replace(trial, artifacts=EVERYTHING)
    assert not store.has(whole)
    execute(whole, store, "cpu", go_on)
    assert store.has(whole)
    assert figures(store, trial) | {"warnings": None} == before


@pytest.mark.parametrize("stops", [(1,), (4,), (5,), (6,), (5, 2)])
def test_an_interrupted_trial_resumes_and_ends_the_same(
    trial: Trial, store: TrialStore, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    whole = TrialStore(tmp_path / "whole")
    execute(trial, whole, "cpu", go_on)
    for stop in stops:

        def interrupt(epoch: int, _: int, __: Mapping[str, float], stop: int = stop) -> None:
            if epoch == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            execute(trial, store, "cpu", interrupt)
        assert not store.has(trial)
    execute(trial, store, "cpu", go_on)
    assert figures(store, trial) == figures(whole, trial)


def test_its_seconds_hold_those_before_an_interruption(trial: Trial, store: TrialStore) -> None:
    def interrupt(epoch: int, _: int, __: Mapping[str, float]) -> None:
        if epoch == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(trial, store, "cpu", interrupt)
    earlier = sum(row["epoch_seconds"] for row in store.history(trial))
    execute(trial, store, "cpu", go_on)
    assert store.result(trial)["seconds"] >= round(earlier, 1)


def test_a_pruned_trial_has_figures_and_is_not_finished(trial: Trial, store: TrialStore) -> None:
    best = dict.fromkeys((2, 4, 6), (1.0, 1.0))
    rule = PruneRule(best, looks=(4,), level=0.25)  # of two notes both are worse
    execute(replace(trial, prune=rule), store, "cpu", go_on)
    assert replace(trial, prune=rule).fingerprint == trial.fingerprint
    result = store.result(trial)
    assert result["ended"] == PRUNED
    assert [row["epoch"] for row in result["history"]] == [1, 2, 3, 4]
    assert result["figures"]["unseen"]["score"] >= 0
    assert not store.has(trial)


def test_a_training_that_diverges_is_a_result_too(
    trial: Trial, store: TrialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Lstm.loss
    monkeypatch.setattr(Lstm, "loss", lambda *given: loss(*given) * float("nan"))
    execute(replace(trial, artifacts=EVERYTHING), store, "cpu", go_on)
    result = store.result(trial)
    assert result["ended"].startswith("training diverged in epoch 1")
    assert result["score"] is None
    assert 0 <= result["figures"]["unseen"]["score"] < 0.5


@pytest.mark.parametrize(("model", "decay_ok"), [("oracle", 0.9), ("esprit", 0.5)])
def test_what_does_not_learn_needs_no_training(
    trial: Trial, store: TrialStore, model: str, decay_ok: float
) -> None:
    bare = replace(trial, model=model, settings={}, train=(), validation=())
    execute(bare, store, "cpu", go_on)
    result = store.result(bare)
    assert result["figures"]["unseen"]["decay_ok"] > decay_ok
    assert result["history"] == []


def test_what_is_measured_of_notes_serves_the_next_trial(trial: Trial, store: TrialStore) -> None:
    settings = {"units": 8, "members": 2, "epochs": 1, "augmentations": 1}
    modal = replace(trial, model="modal", settings=settings)
    execute(modal, store, "cpu", go_on)
    targets = sorted(store.targets.rglob("*.npz"))
    assert len(targets) == len(trial.train)
    changed = [path.stat().st_mtime_ns for path in targets]
    execute(replace(modal, seed=4), store, "cpu", go_on)
    assert sorted(store.targets.rglob("*.npz")) == targets
    assert [path.stat().st_mtime_ns for path in targets] == changed
