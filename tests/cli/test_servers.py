"""Commands that become a server, and stores that cannot be opened."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.utils.file_utils import local_file_uri_to_path

from notedecay.tracking import store
from notedecay.tracking.database import sqlite_file
from notedecay.tracking.runs import Tracker
from notedecay.tracking.store import connect
from tests.cli.conftest import MODEL, assert_refused


@pytest.mark.usefixtures("inside")
def test_a_number_that_is_no_port_is_refused(command):
    assert command("ui", "--port", "0").code == 2


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.usefixtures("inside")
def test_a_port_that_is_taken_is_refused(command, busy):
    answer = command("ui", "--port", busy)
    assert_refused(answer, f"port {busy} is taken: choose another with --port")
    assert answer.out == ""


def test_a_model_is_not_served_at_a_port_that_is_taken(command, busy, inside, model):
    client = connect(inside / "mlruns")
    client.create_registered_model("notedecay-gongs")
    client.create_model_version("notedecay-gongs", source=model.as_uri())
    answer = command("serve", "--model", "models:/notedecay-gongs/1", "--port", busy)
    assert_refused(answer, f"port {busy} is taken: choose another with --port")


def test_the_ui_says_where_runs_and_models_are(command, inside, started, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    ids = [Tracker(inside / "mlruns", name, {}).experiment_id for name in ("cymbals", "bowls")]
    port = free_port()
    said = command("ui", "--port", port).out.splitlines()
    top, training = f"http://127.0.0.1:{port}/#", "workflowType=machine_learning"
    for name, id_ in zip(("cymbals", "bowls"), ids, strict=True):
        assert f"notedecay-{name}: {top}/experiments/{id_}/runs?{training}" in said
    assert said[-1] == f"models: {top}/models?{training}"
    assert len(started) == 1
    assert ["ui", "--port", str(port)] == started[0][3:6]


@pytest.fixture
def started(monkeypatch) -> list[list[str]]:
    """Command lines of the programs that a command would have become."""
    lines: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, arguments: lines.append(arguments))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # to be put back, whatever the command leaves
    return lines


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_the_ui_of_a_server_is_its_own(command, inside, started, monkeypatch):
    client = connect(inside / "mlruns")
    Tracker(inside / "mlruns", "cymbals", {})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://runs.example.org/music/")
    monkeypatch.setattr(store, "connect", lambda _: client)
    answer = command("ui")
    top = "https://runs.example.org/music/#"
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert any(line.startswith(f"notedecay-cymbals: {top}/experiments/") for line in lines)
    assert f"models: {top}/models?workflowType=machine_learning" in lines
    assert "which has a UI of its own: none is started" in lines[-1]
    assert started == []


@pytest.mark.usefixtures("inside")
def test_the_ui_is_started_on_a_database_that_the_user_names(
    command, started, monkeypatch, tmp_path
):
    uri = f"sqlite:///{tmp_path}/theirs.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    command("ui", "--port", free_port())
    assert started[0][started[0].index("--backend-store-uri") + 1] == uri
    assert "--default-artifact-root" not in started[0]


def bare_project(project: Path, root: Path) -> Path:
    """A project in which nothing was run yet."""
    (root / "mlruns").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(project / name, root)
    return root


def test_the_ui_of_a_project_in_an_odd_place_gets_addresses_of_it(
    command, project, started, monkeypatch, tmp_path
):
    odd = bare_project(project, tmp_path / "what? 50%41")
    monkeypatch.chdir(odd)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    command("ui", "--port", free_port())
    uri = started[0][started[0].index("--backend-store-uri") + 1]
    root = started[0][started[0].index("--default-artifact-root") + 1]
    assert sqlite_file(uri) == odd / "mlruns/mlflow.db"
    assert local_file_uri_to_path(root) == str(odd / "mlruns/artifacts")
    assert sorted(path.name for path in tmp_path.iterdir()) == [odd.name]


BROKEN_STORE = [
    ("ui",),
    ("serve", "--model", MODEL),
    ("generate", "--model", MODEL, "--prime", "PRIME", "--out", "x.wav"),
]


@pytest.mark.parametrize("arguments", BROKEN_STORE, ids=lambda arguments: arguments[0])
def test_a_store_that_is_no_database_is_one_line(
    command, project, started, prime, monkeypatch, tmp_path, arguments
):
    odd = bare_project(project, tmp_path / "[my] music")
    path = odd / "mlruns/mlflow.db"
    path.write_bytes(b"garbage" * 999)
    monkeypatch.chdir(odd)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    answer = command(*(prime if word == "PRIME" else word for word in arguments))
    assert_refused(answer, str(path), "not a SQLite database")
    assert "MLFLOW_TRACKING_URI" not in answer.err
    assert path.read_bytes() == b"garbage" * 999
    assert not (odd / "x.wav").exists()
    assert started == []
