"""Whether the stage ``register`` has nothing to do, with a real store of runs and models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from notedecay.core.project import Project
from notedecay.registry import up_to_date
from notedecay.registry.up_to_date import INPUTS, is_up_to_date, remember
from notedecay.tracking.runs import Tracker

NAME = "notedecay-bells"


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Tracker]:
    """Two versions, of which the first is champion, and results of the pipeline."""
    project = Project(tmp_path_factory.mktemp("project"))
    tracker = Tracker(project.mlruns, "bells", {})
    with tracker.run("train lstm", "train") as run:
        pass
    client = tracker.client
    client.create_registered_model(NAME)
    for number in ("1", "2"):
        files = project.root / f"version{number}"
        files.mkdir()
        (files / "weights.safetensors").write_bytes(b"weights")
        (files / "model.json").write_text("{}")
        client.create_model_version(NAME, files.as_uri(), run.id, tags={"unseen.score": "0.5"})
    client.set_registered_model_alias(NAME, "champion", "1")
    results = project.results("bells")
    for name in INPUTS:
        path = results / name if name != "candidates" else results / "candidates/lstm/model.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"lstm": run.id}))
    return project, tracker


@pytest.fixture
def project(registered: tuple[Project, Tracker], monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, of which the present state is remembered."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    remember(registered[0], "bells")
    return registered[0]


@pytest.fixture
def tracker(registered: tuple[Project, Tracker]) -> Tracker:
    return registered[1]


def test_it_is_up_to_date_after_its_state_is_remembered(project: Project) -> None:
    assert is_up_to_date(project, "bells")
    assert is_up_to_date(project, "bells")


def test_it_is_not_for_an_instrument_that_was_never_registered(project: Project) -> None:
    assert not is_up_to_date(project, "gongs")


@pytest.mark.parametrize("name", [*INPUTS[1:], "candidates/lstm/model.json"])
def test_a_changed_or_missing_input_is_noticed(project: Project, name: str) -> None:
    path = project.results("bells") / name
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    assert not is_up_to_date(project, "bells")
    path.unlink()
    assert not is_up_to_date(project, "bells")
    path.write_bytes(before)
    assert is_up_to_date(project, "bells")


def test_a_further_file_of_a_candidate_is_noticed(project: Project) -> None:
    further = project.results("bells") / "candidates/lstm/weights.safetensors"
    further.touch()
    assert not is_up_to_date(project, "bells")
    further.unlink()
    assert is_up_to_date(project, "bells")


def moved_alias(tracker: Tracker) -> None:
    tracker.client.set_registered_model_alias(NAME, "champion", "2")


def changed_tag(tracker: Tracker) -> None:
    tracker.client.set_model_version_tag(NAME, "1", "unseen.score", "0.6")


def deleted_tag(tracker: Tracker) -> None:
    tracker.client.delete_model_version_tag(NAME, "2", "unseen.score")


def described(tracker: Tracker) -> None:
    tracker.client.update_model_version(NAME, "1", "my own words")


def deleted_run(tracker: Tracker) -> None:
    (run,) = tracker.client.search_runs([tracker.experiment_id], "tags.`notedecay.kind` = 'train'")
    tracker.client.delete_run(run.info.run_id)


@pytest.mark.parametrize("change", [moved_alias, changed_tag, deleted_tag, described, deleted_run])
def test_a_change_of_the_registry_is_noticed(
    project: Project, tracker: Tracker, change: Callable[[Tracker], None]
) -> None:
    assert is_up_to_date(project, "bells")
    change(tracker)
    assert not is_up_to_date(project, "bells")
    remember(project, "bells")
    assert is_up_to_date(project, "bells")


def test_a_deleted_file_of_a_version_is_noticed(project: Project) -> None:
    (project.root / "version2/model.json").unlink()
    assert not is_up_to_date(project, "bells")


def test_a_running_run_is_noticed_and_not_remembered(project: Project, tracker: Tracker) -> None:
    with tracker.run("interrupted", "trial"):
        assert not is_up_to_date(project, "bells")
        remember(project, "bells")
        assert not is_up_to_date(project, "bells")
    assert is_up_to_date(project, "bells")


def test_a_server_is_always_asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert not is_up_to_date(project, "bells")
    remember(project, "bells")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert is_up_to_date(project, "bells")


def test_a_missing_or_damaged_database_is_noticed(project: Project) -> None:
    database = project.mlruns / "mlflow.db"
    kept = database.rename(database.with_suffix(".kept"))
    assert not is_up_to_date(project, "bells")
    assert not database.exists()
    database.write_text("no database")
    assert not is_up_to_date(project, "bells")
    kept.replace(database)
    assert is_up_to_date(project, "bells")


def test_a_change_of_the_registry_s_own_code_is_noticed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gate.py").write_text("MARGIN = 1\n")
    monkeypatch.setattr(up_to_date, "__file__", str(tmp_path / "up_to_date.py"))
    assert not is_up_to_date(project, "bells")
    remember(project, "bells")
    assert is_up_to_date(project, "bells")
    (tmp_path / "gate.py").write_text("MARGIN = 2\n")
    assert not is_up_to_date(project, "bells")


def test_its_inputs_are_what_the_pipeline_writes() -> None:
    """A name that no stage writes would let the stage do its work each time, unnoticed."""
    text = (Path(__file__).resolve().parents[2] / "dvc.yaml").read_text(encoding="utf-8")
    assert set(INPUTS) <= set(re.findall(r"- results/\$\{key\}/([\w.]+)", text))
