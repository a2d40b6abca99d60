"""Runs in a real store: they end as what they were."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from notedecay.core.errors import UserError
from notedecay.tracking.runs import STAGE, Tracker, process, process_is_gone
from notedecay.tracking.store import connect, tracking_uri


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store") / "mlruns"


@pytest.fixture
def tracker(mlruns) -> Tracker:
    return Tracker(mlruns, "banjo", {"seed": "3"})


def test_the_store_lies_in_mlruns_under_an_absolute_address(mlruns, tracker):
    assert tracking_uri(mlruns) == f"sqlite+pysqlite:///{mlruns.resolve()}/mlflow.db"
    assert (mlruns / "mlflow.db").exists()
    experiment = tracker.client.get_experiment(tracker.experiment_id)
    assert experiment.name == "notedecay-banjo"
    assert experiment.artifact_location == (mlruns / "artifacts").resolve().as_uri()


def test_a_run_keeps_parameters_metrics_tags_and_files(tracker, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with tracker.run("one", "trial", params={"units": 64}, parent="p") as run:
        for epoch in range(1, 4):
            run.metrics({"loss": 1.0 / epoch, "bad": float("nan")}, epoch)
        run.folder(tmp_path, "listen")
    kept = tracker.client.get_run(run.id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params == {"units": "64"}
    assert kept.data.metrics == {"loss": pytest.approx(1 / 3)}
    assert [m.step for m in tracker.client.get_metric_history(run.id, "loss")] == [1, 2, 3]
    assert kept.data.tags["seed"] == "3"
    assert kept.data.tags["mlflow.parentRunId"] == "p"
    assert [f.path for f in tracker.client.list_artifacts(run.id, "listen")] == ["listen/a.txt"]


def test_the_experiment_is_described_unless_it_has_a_description(mlruns, tracker):
    note = "mlflow.note.content"
    held = tracker.client.get_experiment(tracker.experiment_id)
    assert "banjo" in held.tags[note]
    assert all(f"**{measure}**" in held.tags[note] for measure in ("score", "decay_ok"))
    tracker.client.set_experiment_tag(tracker.experiment_id, note, "mine")
    again = Tracker(mlruns, "banjo", {}, about="other")
    assert again.client.get_experiment(again.experiment_id).tags[note] == "mine"
    tracker.client.delete_experiment_tag(tracker.experiment_id, note)  # as older stores are
    Tracker(mlruns, "banjo", {}, about="other")
    assert tracker.client.get_experiment(tracker.experiment_id).tags[note] == "other"


@pytest.mark.parametrize(
    ("kind", "model", "words"),
    [
        (
            "baseline",
            "silence",
            ["**silence**: Baseline that continues every prime with silence.", "without training"],
        ),
        ("trial", "gru", ["**gru**: GRU with dense layers", "A trial of a search"]),
        ("oracle", None, ["a yardstick, no candidate"]),
        ("paper", "oracle", ["An experiment of the paper"]),
    ],
)
def test_a_run_has_a_description_its_command_and_its_user(mlruns, monkeypatch, kind, model, words):
    monkeypatch.setattr("sys.argv", ["/opt/bin/notedecay", "stage", "train", "banjo"])
    params = {"model": model} if model else {}
    tracker = Tracker(mlruns, "banjo", {})
    with tracker.run("one", kind, params=params) as run:
        pass
    tags = tracker.client.get_run(run.id).data.tags
    assert all(word in tags["mlflow.note.content"] for word in words)
    assert tags["mlflow.source.name"] == "notedecay stage train banjo"
    assert tags["mlflow.user"]


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_ends_as_what_it_was_and_keeps_its_metrics(tracker, error, status):
    with pytest.raises(error), tracker.run("one", "trial") as run:
        run.metrics({"loss": 1.0}, 1)
        raise error
    kept = tracker.client.get_run(run.id)
    assert kept.info.status == status
    assert kept.data.metrics == {"loss": 1.0}


def test_an_interrupt_stays_one_when_the_store_was_cut_short(tracker, monkeypatch):
    """Or the command would end as for a mistake of the user's."""
    with pytest.raises(KeyboardInterrupt), tracker.run("one", "trial"):

        def locked(*_):
            raise MlflowException("database is locked")

        monkeypatch.setattr(tracker.client, "set_terminated", locked)
        raise KeyboardInterrupt


def test_an_orphan_run_is_ended_and_others_go_on(tracker, mlruns):
    program = f"""
        import os, signal
        from pathlib import Path
        from notedecay.tracking.runs import Tracker
        with Tracker(Path({str(mlruns)!r}), "banjo", {{}}).run("killed", "trial"):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    with tracker.run("alive", "trial") as alive:
        assert tracker.end_orphans() == 1
        assert tracker.client.get_run(alive.id).info.status == "RUNNING"
    killed = tracker.find("mlflow.runName", "killed", "trial")
    assert killed is not None
    assert killed.info.status == "KILLED"


def left_running(tracker: Tracker, stage: str | None, writer: str) -> str:
    """A run as a process of another name leaves it when it is killed."""
    tags = {"notedecay.process": writer} | ({STAGE: stage} if stage else {})
    run = tracker.client.create_run(tracker.experiment_id, tags=tags)
    return run.info.run_id


@pytest.mark.parametrize(
    ("left_by", "ended_by", "ends"),
    [
        ("train", "train", "KILLED"),
        ("train", "compare", "RUNNING"),
        (None, "train", "RUNNING"),
        ("train", None, "RUNNING"),
    ],
)
def test_a_stage_ends_what_it_left_in_a_container_that_is_gone(mlruns, left_by, ended_by, ends):
    """One process at a time runs a stage, so other runs of it are orphans on any machine."""
    tracker = Tracker(mlruns, "banjo", {STAGE: ended_by} if ended_by else {})
    run_id = left_running(tracker, left_by, "5f2c1e0a9b7d:7:1700000000.00")
    tracker.end_orphans()
    assert tracker.client.get_run(run_id).info.status == ends


def test_a_server_may_have_runs_of_other_machines(mlruns, monkeypatch):
    tracker = Tracker(mlruns, "banjo", {STAGE: "train"})
    run_id = left_running(tracker, "train", "elsewhere:7:1700000000.00")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    tracker.end_orphans()
    assert tracker.client.get_run(run_id).info.status == "RUNNING"


def test_a_stage_does_not_end_its_own_run_nor_one_that_it_resumed(mlruns):
    tracker = Tracker(mlruns, "banjo", {STAGE: "train"})
    with tracker.run("own", "train") as own:
        tracker.end_orphans()
        assert tracker.client.get_run(own.id).info.status == "RUNNING"
    later = Tracker(mlruns, "banjo", {STAGE: "compare"})
    with later.resume(own.id):
        assert later.client.get_run(own.id).data.tags[STAGE] == "compare"
        later.client.set_tag(own.id, "notedecay.process", "elsewhere:7:1700000000.00")
        tracker.end_orphans()
        assert later.client.get_run(own.id).info.status == "RUNNING"


def test_find_resume_and_has(tracker):
    assert tracker.find("notedecay.study", "s1", "study") is None
    with tracker.run("study", "study", tags={"notedecay.study": "s1"}) as run:
        pass
    found = tracker.find("notedecay.study", "s1", "study")
    assert found is not None
    assert found.info.run_id == run.id
    with tracker.resume(run.id):
        assert tracker.client.get_run(run.id).info.status == "RUNNING"
    assert tracker.client.get_run(run.id).info.status == "FINISHED"
    assert tracker.has(run.id)
    assert not tracker.has("0" * 32)


def test_names_of_processes_are_distinct():
    assert not process_is_gone(process())
    host, pid, born = process().split(":")
    assert process_is_gone(f"{host}:{pid}:{float(born) - 5:.2f}")
    assert process_is_gone(f"{host}:4194303:{born}")
    assert not process_is_gone(f"elsewhere:{pid}:{born}")
    assert not process_is_gone("")


def test_a_server_that_does_not_answer_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9 does not answer") as caught:
        connect(tmp_path / "mlruns")
    assert "\n" not in str(caught.value)
