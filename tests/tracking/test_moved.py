"""A store that is moved with its project, or copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from notedecay.continuators import Signal, create
from notedecay.registry import models
from notedecay.tracking.runs import Tracker
from notedecay.tracking.store import connect

NAME = "notedecay-bells"
SIGNAL = Signal(instrument="bells", rate=2000)


def filled(mlruns: Path, folder: Path) -> str:
    """A store with a run, its file and its registered model; the run's id."""
    tracker = Tracker(mlruns, "bells", {})
    (folder / "listen").mkdir(parents=True)
    (folder / "listen/a.txt").write_text("heard")
    (folder / "model").mkdir()
    create("repeat", SIGNAL, {}).save(folder / "model")
    with tracker.run("baseline repeat", "baseline") as run:
        run.folder(folder / "listen", "listen")
    models.register(tracker.client, folder / "model", run.id, NAME, {"continuator": "repeat"})
    return run.id


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "an old place"  # a blank is written otherwise in an address


@pytest.fixture
def run_id(home, tmp_path) -> str:
    return filled(home / "mlruns", tmp_path / "work")


def assert_whole(mlruns: Path, run_id: str) -> None:
    """Whether all that the store held can be had, and new runs are kept beside it."""
    client = connect(mlruns)
    version = models.find(client, f"models:/{NAME}/1")
    prime = np.ones(SIGNAL.prime_samples, np.float32)
    assert len(models.load_version(client, version).continue_prime(prime, 10)) == 10
    assert [f.path for f in client.list_artifacts(run_id, "listen")] == ["listen/a.txt"]
    tracker = Tracker(mlruns, "bells", {})
    with tracker.run("later", "trial") as later:
        pass
    artifacts = (mlruns / "artifacts").resolve().as_uri()
    assert client.get_run(later.id).info.artifact_uri.startswith(f"{artifacts}/")


def test_a_store_that_was_moved_finds_its_artifacts_and_those_of_a_second_move(home, run_id):
    for name in ("new", "newer still"):
        home = home.rename(home.with_name(name))
        assert_whole(home / "mlruns", run_id)


def test_a_copy_without_artifacts_goes_on_with_those_of_the_original(home, run_id, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(home / "mlruns/mlflow.db", copy)
    client = connect(copy)
    assert models.load_version(client, models.find(client, f"models:/{NAME}/1")).name == "repeat"
    assert client.get_run(run_id).info.artifact_uri.startswith((home / "mlruns").as_uri())


def test_addresses_elsewhere_are_left_alone(home, run_id):
    client = connect(home / "mlruns")
    client.create_experiment("notedecay-far", artifact_location="s3://bucket/artifacts")
    similar = (home / "mlruns/artifacts").as_uri() + "-of-others"
    client.create_experiment("others", artifact_location=similar)
    moved = connect(home.rename(home.with_name("new")) / "mlruns")
    far, others = (moved.get_experiment_by_name(name) for name in ("notedecay-far", "others"))
    assert (far.artifact_location, others.artifact_location) == ("s3://bucket/artifacts", similar)
    assert moved.get_run(run_id).info.artifact_uri.startswith("file:///")
