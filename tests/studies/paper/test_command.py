"""``notedecay paper`` as a user calls it, on a small project with notes of known truth."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from notedecay.experiments.trial import RESULT
from notedecay.tracking.store import tracking_uri
from tests.toy import environment, make_notes

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

COMMAND = ["notedecay", "paper", "--workers", "2"]
ASKED = ["--quick", "--only", "flute-512", "--only", "flute-esprit", "--only", "cello-512"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "params.yaml").write_text("")
    (root / "dvc.yaml").write_text("")
    make_notes(root / "data/flute/own", range(66, 78))
    return root


def call(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def finished(project: Path) -> dict[Path, int]:
    found = (project / "mlruns/trials").glob(f"*/{RESULT}")
    # A folder that is still being filled has a name that begins with a dot.
    whole = [path for path in found if not path.parent.name.startswith(".")]
    return {path: path.stat().st_mtime_ns for path in whole}


def test_interrupted_it_resumes_and_writes_the_pages(project: Path) -> None:
    first = subprocess.Popen(
        [*COMMAND, *ASKED],
        cwd=project,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not finished(project) and first.poll() is None:
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGINT)
    shown = first.communicate(timeout=60)[1]
    assert first.returncode == 130
    assert "Traceback" not in shown
    before = finished(project)
    assert before
    assert not list((project / "mlruns/trials").glob(".*.partial"))  # nothing half written

    answer = call(project, *ASKED)
    assert answer.returncode == 0, answer.stderr
    after = finished(project)
    assert len(after) == 4  # three seeds, and ESPRIT
    assert all(after[path] == made for path, made in before.items())
    assert "cello-512: no recordings" in answer.stdout

    text = (project / "docs/paper.md").read_text()
    assert "flute, 512 units (`flute-512`)" in text
    assert "quick: 128 units, 60 epochs, 3 seeds" in text
    assert "**flute-512**" not in text
    assert "Not run yet" in text
    assert "flute 12 notes (own)" in text


def test_every_result_is_a_run_once(project: Path) -> None:
    assert call(project, *ASKED).returncode == 0
    client = MlflowClient(tracking_uri(project / "mlruns"))
    experiment = client.get_experiment_by_name("notedecay-paper")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    runs = [run for run in found if run.info.status == "FINISHED"]
    # The interrupt may have hit a run that was being logged.
    assert {run.info.status for run in found} <= {"FINISHED", "KILLED"}
    names = sorted(run.info.run_name for run in runs)
    assert names == [
        "flute-512, seed 0, quick", "flute-512, seed 1, quick", "flute-512, seed 2, quick",
        "flute-esprit, seed 0, quick",
    ]  # fmt: skip
    one = next(run for run in runs if run.info.run_name == names[0])
    fingerprint = one.data.tags["notedecay.trial"].partition("@")[0]
    kept = json.loads((project / f"mlruns/trials/lstm-{fingerprint}" / RESULT).read_text())
    last = kept["history"][-1]["train_loss"]
    assert one.data.metrics["train_loss"] == pytest.approx(last, rel=1e-5)
    figure = kept["figures"]["unseen"]["score"]
    assert one.data.metrics["unseen.score"] == pytest.approx(figure, rel=1e-5)
    assert one.data.params["units"] == "128"
    assert len(client.get_metric_history(one.info.run_id, "train_loss")) == 60


def test_the_page_names_only_files_that_are_there(project: Path) -> None:
    page = (project / "results/paper/index.html").read_text()
    named = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert len(named) > 8
    for name in named:
        assert (project / "results/paper" / name).exists(), name


def test_a_table_made_elsewhere_is_kept(project: Path) -> None:
    for folder in (project / "mlruns/trials").glob("lstm-*"):
        shutil.rmtree(folder)
    answer = call(project, "--quick", "--only", "flute-esprit")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    assert "quick: 128 units, 60 epochs, 3 seeds" in (project / "docs/paper.md").read_text()


def test_a_data_folder_that_is_not_there_changes_nothing(project: Path) -> None:
    before = (project / "docs/paper.md").read_text()
    answer = call(project, "--quick", "--data", "nowhere")
    assert answer.returncode == 2
    assert "nowhere: no such folder of recordings" in answer.stderr
    assert (project / "docs/paper.md").read_text() == before


def test_two_sizes_at_once_are_refused(project: Path) -> None:
    answer = call(project, "--quick", "--reduced")
    assert answer.returncode == 2
    assert "choose --quick or --reduced" in answer.stderr


def test_published_audio_that_is_not_there_is_refused_before_anything_runs(project: Path) -> None:
    answer = call(project, *ASKED, "--published", str(project / "nowhere"))
    assert answer.returncode == 2
    assert "nowhere" in answer.stderr
    assert "Traceback" not in answer.stderr
