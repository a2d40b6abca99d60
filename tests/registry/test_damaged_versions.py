"""Versions whose files or checksums are missing, changed or of another program."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from safetensors.torch import load_file, save_file

from notedecay.core.errors import DamagedError, UserError
from notedecay.models import create
from notedecay.registry import versions
from notedecay.tracking.runs import Tracker
from tests.registry.bells import NAME, RATE, SIGNAL


@pytest.fixture(scope="module")
def tracker(mlruns) -> Tracker:
    return Tracker(mlruns, "bells", {})


def test_files_that_are_gone_are_one_line(tracker, saved):
    with tracker.run("train lstm", "train") as run:
        pass
    lost = versions.register(tracker.client, saved, run.id, NAME, {"model": "lstm"})
    where = mlflow.artifacts.download_artifacts(f"models:/{NAME}/{lost.version}")
    shutil.rmtree(where)
    with pytest.raises(UserError, match="bring that folder back") as caught:
        versions.load_version(tracker.client, lost)
    assert f"{Path(where).parent.as_uri()}" in str(caught.value)


def test_a_store_that_no_longer_answers_is_one_line(tracker, version, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise MlflowException("the server is gone")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", fails)
    monkeypatch.setattr(tracker.client, "get_model_version_download_uri", fails)
    uri = f"models:/{NAME}/{version.version}"
    with pytest.raises(UserError, match=f"the files of {uri} cannot be had from {uri}:") as caught:
        versions.folder_of(tracker.client, version)
    assert "\n" not in str(caught.value)


def test_a_model_of_another_kind_is_one_line(tracker, tmp_path):
    (tmp_path / "readme.txt").write_text("not a model")
    tracker.client.create_registered_model("foreign")
    other = tracker.client.create_model_version("foreign", tmp_path.as_uri())
    with pytest.raises(UserError, match="holds no model of notedecay; it was reg"):
        versions.load_version(tracker.client, other)


@pytest.fixture
def own(tracker, saved, request):
    """A version of the test's own, and where its files lie."""
    with tracker.run("train lstm", "train") as run:
        pass
    name = request.node.originalname
    version = versions.register(tracker.client, saved, run.id, name, {"model": "lstm"})
    return version, versions.folder_of(tracker.client, version)


def damage_weights(folder: Path) -> None:
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    for place in range(20):
        content[-4 * (place + 1)] ^= 1
    path.write_bytes(content)


def damage_all(folder: Path) -> None:
    """As somebody does who saves another model there: it is whole, and not the one."""
    other = create("lstm", SIGNAL, {"units": 16, "epochs": 2, "transpose": 0})
    other.save(folder)


def damage_description(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text().replace(f'"rate": {RATE}', f'"rate": {RATE + 1}'))


def lose(name: str):
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (damage_weights, "weights.safetensors is not as it was saved"),
        (damage_all, "is not as it was saved"),
        (damage_description, "model.json is not as it was saved"),
        (lose("weights.safetensors"), "weights.safetensors cannot be read"),
        (lose("model.json"), "has lost its model.json"),
        (lose("SHA256SUMS"), "SHA256SUMS cannot be read"),
    ],
)
def test_files_that_are_not_those_registered_are_one_line(tracker, own, damage, line):
    version, folder = own
    damage(folder)
    with pytest.raises(DamagedError, match=line) as caught:
        versions.load_version(tracker.client, version)
    assert "\n" not in str(caught.value)
    assert "run make repro" in str(caught.value)


def test_the_server_refuses_them_too(own):
    version, folder = own
    damage_weights(folder)
    with pytest.raises(UserError, match=r"weights\.safetensors is not as it was saved"):
        mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")


def test_a_version_from_before_checksums_is_loaded(tracker, own):
    version, folder = own
    (folder / "SHA256SUMS").unlink()
    tracker.client.delete_model_version_tag(version.name, version.version, "sha256")
    older = tracker.client.get_model_version(version.name, version.version)
    assert versions.load_version(tracker.client, older).name == "lstm"


@pytest.mark.parametrize("text", ["", "none", "[]", "3"])
def test_a_tag_that_holds_no_checksums_is_one_line(tracker, own, text):
    version, _ = own
    tracker.client.set_model_version_tag(version.name, version.version, "sha256", text)
    edited = tracker.client.get_model_version(version.name, version.version)
    with pytest.raises(UserError, match="holds no checksums") as caught:
        versions.load_version(tracker.client, edited)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_loaded_is_not_registered(tracker, saved, tmp_path):
    with tracker.run("train lstm", "train") as run:
        pass
    folder = tmp_path / "lstm"
    shutil.copytree(saved, folder)
    (folder / "SHA256SUMS").unlink()
    weights = load_file(folder / "weights.safetensors")
    next(iter(weights.values())).fill_(float("nan"))
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(UserError, match="is not finite"):
        versions.register(tracker.client, folder, run.id, "broken-weights", {"model": "lstm"})
    assert not tracker.client.search_registered_models("name = 'broken-weights'")
