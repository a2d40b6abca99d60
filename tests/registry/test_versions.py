"""Models in a real registry: registered once, found by name, served as they are called."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from notedecay import audio
from notedecay.core.errors import UserError
from notedecay.inference import generate
from notedecay.registry import versions
from notedecay.serving import package
from notedecay.tracking.runs import Tracker
from tests.registry.bells import NAME, NOTE, RATE, SIGNAL, trained


@pytest.fixture(scope="module")
def tracker(mlruns) -> Tracker:
    return Tracker(mlruns, "bells", {})


def test_a_run_is_registered_once_and_its_tags_are_refreshed(tracker, saved, version):
    tags = {"model": "lstm", "protocol": "new", "unseen.score": "0.5"}
    again = versions.register(tracker.client, saved, version.run_id, NAME, tags)
    assert again.version == version.version
    assert len(tracker.client.search_model_versions(f"name = '{NAME}'")) == 1
    kept = dict(tracker.client.get_model_version(NAME, version.version).tags)
    assert kept.pop("sha256") == version.tags["sha256"]
    assert kept == tags


def test_a_version_has_the_checksums_of_its_files(saved, version):
    assert json.loads(version.tags["sha256"]) == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in saved.iterdir()
    }
    assert len(list(saved.iterdir())) == 3


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "RUNNING"])
def test_registering_leaves_the_run_as_it_was(tracker, saved, status):
    run = tracker.client.create_run(tracker.experiment_id)
    if status != "RUNNING":
        tracker.client.set_terminated(run.info.run_id, status, end_time=run.info.start_time + 1000)
    before = tracker.client.get_run(run.info.run_id).info
    versions.register(tracker.client, saved, run.info.run_id, "other", {"model": "lstm"})
    after = tracker.client.get_run(run.info.run_id)
    assert (after.info.status, after.info.end_time) == (status, before.end_time)
    logged = tracker.client.get_logged_model(after.outputs.model_outputs[0].model_id)
    assert logged.experiment_id == tracker.experiment_id
    assert logged.source_run_id == run.info.run_id


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space left on device")])
@pytest.mark.parametrize("where", ["save_model", "_log_artifacts", "register_model"])
def test_a_register_that_broke_leaves_the_run_finished(tracker, saved, monkeypatch, error, where):
    with tracker.run("train lstm", "train") as run:
        pass

    def breaks(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        if where == "_log_artifacts":
            broken.setattr(MlflowClient, "log_model_artifacts", breaks)
        else:
            broken.setattr(mlflow.pyfunc if where == "save_model" else mlflow, where, breaks)
        with pytest.raises(type(error) if isinstance(error, OSError) else error):
            versions.register(tracker.client, saved, run.id, "broken", {"model": "lstm"})
    assert tracker.client.get_run(run.id).info.status == "FINISHED"
    version = versions.register(tracker.client, saved, run.id, "broken", {"model": "lstm"})
    assert versions.load_version(tracker.client, version).name == "lstm"
    assert tracker.client.get_run(run.id).info.status == "FINISHED"


KILLED = """
import os, signal, sys
from pathlib import Path
import mlflow
from mlflow import MlflowClient
from notedecay.registry import versions
from notedecay.serving import package
from notedecay.tracking.runs import Tracker

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

mlruns, saved, run, where = sys.argv[1:]
tracker = Tracker(Path(mlruns), "bells", {})
setattr(MlflowClient if where == "log_model_artifacts" else mlflow, where, dies)
versions.register(tracker.client, Path(saved), run, "killed", {"model": "lstm"})
"""


@pytest.mark.parametrize("where", ["log_model_artifacts", "register_model"])
def test_a_register_that_was_killed_is_made_good_by_the_next(tracker, mlruns, saved, where):
    with tracker.run("train lstm", "train") as run:
        pass
    words = [str(mlruns), str(saved), run.id, where]
    killed = subprocess.run([sys.executable, "-c", KILLED, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert tracker.client.get_run(run.id).info.status == "FINISHED"
    version = versions.register(tracker.client, saved, run.id, "killed", {"model": "lstm"})
    assert versions.load_version(tracker.client, version).name == "lstm"
    own = f"source_run_id = '{run.id}'"
    logged = tracker.client.search_logged_models([tracker.experiment_id], own)
    assert [str(model.status) for model in logged] == ["READY"]


@pytest.mark.usefixtures("version")
def test_the_logged_model_has_the_name_of_the_model(tracker):
    logged = tracker.client.search_logged_models([tracker.experiment_id])
    assert {model.name for model in logged} == {"lstm"}


def described(client: MlflowClient, name: str, model: str, why: str) -> tuple[str, str]:
    """Descriptions of a model and its first version, once they were given."""
    versions.describe(client, client.get_model_version(name, "1"), model, why)
    kept = client.get_registered_model(name), client.get_model_version(name, "1")
    return kept[0].description, kept[1].description


@pytest.fixture
def plain(tracker, request) -> str:
    """A model with a version, neither described."""
    name = request.node.name
    tracker.client.create_registered_model(name)
    tracker.client.create_model_version(name, "file:///none", tags={"decision": "first"})
    return name


def test_model_and_version_are_described(tracker, plain):
    assert described(tracker.client, plain, "bells go on", "first") == ("bells go on", "first")
    # The decision is another by now, and the text is still the earlier one.
    assert described(tracker.client, plain, "gongs go on", "second") == ("bells go on", "second")


def test_a_users_descriptions_stay(tracker, plain):
    tracker.client.update_registered_model(plain, "my bells")
    tracker.client.update_model_version(plain, "1", "sounds dull")
    assert described(tracker.client, plain, "bells go on", "new") == ("my bells", "sounds dull")


def test_a_version_is_found_by_number_and_by_alias(tracker, version):
    tracker.client.set_registered_model_alias(NAME, "champion", version.version)
    assert versions.find(tracker.client, f"models:/{NAME}/1").run_id == version.run_id
    assert versions.find(tracker.client, f"models:/{NAME}@champion").run_id == version.run_id
    assert versions.holder(tracker.client, NAME, "champion").run_id == version.run_id
    assert versions.holder(tracker.client, NAME, "challenger") is None
    assert versions.holder(tracker.client, "notedecay-gongs", "champion") is None


@pytest.mark.parametrize(
    ("uri", "line"),
    [
        ("models:/notedecay-bell/1", "no registered model 'notedecay-bell'; did you mean"),
        (f"models:/{NAME}@champignon", f"{NAME} has no alias 'champignon'; did you mean 'champ"),
        (f"models:/{NAME}/7", f"{NAME} has no version 7; it has 1"),
        (NAME, "is not a model: write models:/notedecay-piano@champion"),
    ],
)
def test_a_missing_name_alias_or_version_is_one_line(tracker, version, uri, line):
    tracker.client.set_registered_model_alias(NAME, "champion", version.version)
    with pytest.raises(UserError, match=line) as caught:
        versions.find(tracker.client, uri)
    assert "\n" not in str(caught.value)


def test_an_empty_registry_is_one_line_with_a_remedy(tracker, monkeypatch):
    monkeypatch.setattr(tracker.client, "search_registered_models", list)
    with pytest.raises(UserError, match="none is registered yet: run make repro"):
        versions.find(tracker.client, "models:/notedecay-gongs@champion")


def test_a_loaded_version_is_the_model_that_was_saved(tracker, version):
    loaded = versions.load_version(tracker.client, version)
    assert loaded.description() == trained().description()
    prime = NOTE[: SIGNAL.prime_samples]
    np.testing.assert_array_equal(
        loaded.continue_prime(prime, 1000), trained().continue_prime(prime, 1000)
    )


def test_nothing_of_a_version_is_pickled(version):
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{version.version}"))
    files = {path.name: path for path in folder.rglob("*") if path.is_file()}
    assert {"MLmodel", "pyfunc_model.py", "model.json", "weights.safetensors"} <= set(files)
    assert {Path(name).suffix for name in files}.isdisjoint({".pkl", ".pickle", ".pt", ".pth"})
    code = {path.relative_to(folder / "code") for path in folder.glob("code/**/*.py")}
    assert {path.parts[1] for path in code} == set(package.ROOMS)
    assert "torch==" in (folder / "requirements.txt").read_text()
    assert "+" not in (folder / "requirements.txt").read_text()  # labels of local builds
    assert "python_model:" not in (folder / "MLmodel").read_text()  # names a pickle


@pytest.fixture(scope="module")
def served(version):
    return mlflow.pyfunc.load_model(f"models:/{NAME}/{version.version}")


def requests(seconds: list[float]) -> pd.DataFrame:
    prime = base64.b64encode(audio.encode(NOTE, RATE)).decode()
    return pd.DataFrame({"prime": [prime] * len(seconds), "seconds": seconds})


def test_the_served_model_gives_the_samples_of_the_call(served):
    answers = served.predict(requests([1.0, 0.25]))["audio"]
    recording = audio.read_bytes(audio.encode(NOTE, RATE))
    for answer, seconds in zip(answers, (1.0, 0.25), strict=True):
        made = generate(trained(), recording, seconds)
        assert base64.b64decode(answer) == audio.encode(made.samples, RATE)
        assert len(made.samples) == 660 + seconds * RATE


def test_the_served_model_refuses_what_the_command_refuses(served):
    with pytest.raises(UserError, match="up to 60"):
        served.predict(requests([1e9]))
    with pytest.raises(UserError, match="up to 16 rows, got 17"):
        served.predict(requests([0.1] * 17))
    assert len(served.predict(requests([0.01] * 16))) == 16
