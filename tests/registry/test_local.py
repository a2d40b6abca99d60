"""Versions read from the local registry without MLflow: the same as MLflow finds, or none."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from notedecay.core.errors import DamagedError, UserError
from notedecay.models import load
from notedecay.registry import local, versions
from notedecay.registry.files import model_folder
from notedecay.tracking.runs import Tracker

NAME = "notedecay-found"
CHAMPION = f"models:/{NAME}@champion"


@pytest.fixture(scope="module")
def tracker(mlruns: Path, saved: Path) -> Tracker:
    """A model of two versions, of which the second is champion."""
    tracker = Tracker(mlruns, "bells", {})
    for _ in range(2):
        with tracker.run("train lstm", "train") as run:
            pass
        version = versions.register(tracker.client, saved, run.id, NAME, {"model": "lstm"})
    tracker.client.set_registered_model_alias(NAME, "champion", version.version)
    return tracker


@pytest.fixture
def store(
    tracker: Tracker,  # noqa: ARG001 (it fills the store)
    mlruns: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy of the store that a test may change, with addresses of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    copy = shutil.copytree(mlruns, tmp_path / "mlruns")
    execute(
        copy,
        "update model_versions set storage_location = "
        f"replace(storage_location, '{mlruns.resolve().as_uri()}', '{copy.resolve().as_uri()}')",
    )
    return copy


def execute(mlruns: Path, statement: str) -> None:
    with closing(sqlite3.connect(mlruns / "mlflow.db")) as database, database:
        database.execute(statement)


def test_an_alias_and_a_number_find_what_mlflow_finds(
    tracker: Tracker, mlruns: Path, saved: Path
) -> None:
    for uri, number in ((CHAMPION, "2"), (f"models:/{NAME}/2", "2"), (f"models:/{NAME}/1", "1")):
        found, known = local.find(mlruns, uri), versions.find(tracker.client, uri)
        assert found is not None
        assert (found.name, found.version, found.uri) == (NAME, number, f"models:/{NAME}/{number}")
        assert str(known.version) == number
        assert found.tags == known.tags
        folder = model_folder(found.folder, found.tags, found.uri)
        assert folder == versions.folder_of(tracker.client, known)
        assert load(folder).description() == load(saved).description()


@pytest.mark.parametrize(
    "uri",
    [f"models:/{NAME}@challenger", f"models:/{NAME}/3", "models:/notedecay-gongs@champion"],
)
def test_what_is_not_there_is_left_to_mlflow(store: Path, uri: str) -> None:
    assert local.find(store, uri) is None


def test_what_is_no_uri_is_refused(store: Path) -> None:
    with pytest.raises(UserError, match="is not a model: write models:/"):
        local.find(store, NAME)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from registered_model_aliases",
        "update model_versions set current_stage = 'Deleted_Internal'",
        "update model_versions set status = 'PENDING_REGISTRATION'",
        "update model_versions set storage_location = null",
        "update model_versions set storage_location = 's3://bucket/models'",
        "alter table model_versions rename column storage_location to place",
        "alter table model_version_tags rename to tags_of_versions",
    ],
)
def test_a_store_that_is_not_as_usual_is_left_to_mlflow(store: Path, statement: str) -> None:
    assert local.find(store, CHAMPION) is not None
    execute(store, statement)
    assert local.find(store, CHAMPION) is None


def test_a_damaged_or_missing_database_is_left_to_mlflow(store: Path) -> None:
    (store / "mlflow.db").write_text("no database")
    assert local.find(store, CHAMPION) is None
    (store / "mlflow.db").unlink()
    assert local.find(store, CHAMPION) is None
    assert not (store / "mlflow.db").exists()


def test_a_store_that_was_moved_is_left_to_mlflow(store: Path) -> None:
    copy = shutil.copytree(store, store.with_name("copy"))  # its addresses are the original's
    assert local.find(copy, CHAMPION) is None
    shutil.rmtree(store / "artifacts")
    assert local.find(store, CHAMPION) is None


def test_a_named_store_is_left_to_mlflow(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert local.find(store, CHAMPION) is None


def test_changed_files_are_refused(store: Path) -> None:
    found = local.find(store, CHAMPION)
    assert found is not None
    next(found.folder.rglob("weights.safetensors")).write_bytes(b"changed")
    with pytest.raises(DamagedError, match=f"no longer the files of models:/{NAME}/2"):
        model_folder(found.folder, found.tags, found.uri)
