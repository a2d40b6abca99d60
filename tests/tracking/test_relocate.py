"""A store that is moved with its project, or copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path

from notedecay.models import Signal, create
from notedecay.registry import versions
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
    versions.register(tracker.client, folder / "model", run.id, NAME, {"model": "repeat"})
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
    version = versions.find(client, f"models:/{NAME}/1")
    prime = np.ones(SIGNAL.prime_samples, np.float32)
    assert len(versions.load_version(client, version).continue_prime(prime, 10)) == 10
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
    assert (
        versions.load_version(client, versions.find(client, f"models:/{NAME}/1")).name == "repeat"
    )
    assert client.get_run(run_id).info.artifact_uri.startswith((home / "mlruns").as_uri())


def later_run(mlruns: Path, folder: Path) -> Path:
    """A run with a file, and where that lies."""
    (folder / "more").mkdir(parents=True, exist_ok=True)
    (folder / "more/b.txt").write_text("heard later")
    tracker = Tracker(mlruns, "bells", {})
    with tracker.run("later", "trial") as run:
        run.folder(folder / "more", "listen")
    return address(tracker.client, run.id) / "listen/b.txt"


def address(client: MlflowClient, run_id: str) -> Path:
    return Path(local_file_uri_to_path(client.get_run(run_id).info.artifact_uri))


def test_a_whole_copy_keeps_to_itself_while_the_original_is_there(home, run_id, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    assert_whole(copy / "mlruns", run_id)
    made = later_run(copy / "mlruns", tmp_path / "work")
    assert made.is_relative_to(copy)
    shutil.rmtree(home)
    assert_whole(copy / "mlruns", run_id)
    assert made.read_text() == "heard later"


def test_a_fresh_clone_in_the_old_place_gets_nothing_of_the_moved_one(home, run_id, tmp_path):
    moved = home.rename(home.with_name("set aside"))
    filled(tmp_path / "clone/mlruns", tmp_path / "other work")
    # Made elsewhere: in one process, mlflow takes a second file of a name for the first.
    fresh = (tmp_path / "clone").rename(home)
    before = sorted(fresh.rglob("*"))
    assert_whole(moved / "mlruns", run_id)
    assert later_run(moved / "mlruns", tmp_path / "work").is_relative_to(moved)
    assert sorted(fresh.rglob("*")) == before


def test_a_copy_without_artifacts_waits_for_those_of_an_original_out_of_reach(
    home, run_id, tmp_path
):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(home / "mlruns/mlflow.db", copy)
    unmounted = home.rename(home.with_name("unmounted"))
    connect(copy)
    assert later_run(copy, tmp_path / "work").is_relative_to(copy)
    unmounted.rename(home)
    assert_whole(copy, run_id)
    assert address(connect(copy), run_id).is_relative_to(home)


def test_what_a_copy_without_artifacts_begins_itself_does_not_draw_the_rest_to_it(
    home, run_id, tmp_path
):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(home / "mlruns/mlflow.db", copy)
    with Tracker(copy, "gongs", {}).run("own", "trial") as own:
        own.folder(tmp_path / "work/listen", "listen")
    client = connect(copy)
    assert address(client, own.id).is_relative_to(copy)
    assert address(client, run_id).is_relative_to(home)
    assert (
        versions.load_version(client, versions.find(client, f"models:/{NAME}/1")).name == "repeat"
    )


def test_addresses_elsewhere_are_left_alone(home, run_id):
    client = connect(home / "mlruns")
    client.create_experiment("notedecay-far", artifact_location="s3://bucket/artifacts")
    similar = (home / "mlruns/artifacts").as_uri() + "-of-others"
    client.create_experiment("others", artifact_location=similar)
    new = home.rename(home.with_name("new"))
    moved = connect(new / "mlruns")
    far, others = (moved.get_experiment_by_name(name) for name in ("notedecay-far", "others"))
    assert (far.artifact_location, others.artifact_location) == ("s3://bucket/artifacts", similar)
    assert address(moved, run_id) == new / "mlruns/artifacts" / run_id / "artifacts"
