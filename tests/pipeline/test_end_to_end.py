"""One project, reproduced for real by DVC: from recordings to a champion that generates."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import soundfile
import yaml

import notedecay as nd
from notedecay.registry import versions
from notedecay.tracking.store import connect
from tests import toy
from tests.registry.servers import serving

pytestmark = pytest.mark.end_to_end

STAGES = ["configure", "prepare", "search", "train", "compare", "register"]
MODEL = "models:/notedecay-bells@champion"


def ran(answer: subprocess.CompletedProcess[str]) -> list[str]:
    """Stages that a repro ran, in order, less ``register``, which always runs."""
    names = re.findall(r"Running stage '(\w+)@", answer.stdout)
    return [name for name in names if name != "register"]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    root = toy.make_project(tmp_path_factory.mktemp("toy") / "project")
    first = toy.dvc(root, "repro")
    assert ran(first) == STAGES[:-1]
    toy.run(root, "git", "add", "-A")
    toy.run(root, "git", "commit", "-qm", "reproduced")
    return root


@pytest.fixture
def client(project):
    return connect(project / "mlruns")


def test_a_second_repro_has_nothing_to_do(project):
    assert ran(toy.dvc(project, "repro")) == []
    assert toy.run(project, "git", "status", "--porcelain").stdout == ""  # nothing left about


def test_the_champion_is_the_one_that_did_best_on_unseen_notes(project, client):
    metrics = read(project / "results/bells/scores.json")
    best = max(metrics, key=lambda name: metrics[name]["unseen"]["score"])
    registered = read(project / "results/bells/registered.json")
    assert registered["champion"]["model"] == best == "esprit"
    version = client.get_model_version_by_alias("notedecay-bells", "champion")
    assert version.tags["model"] == best
    assert float(version.tags["unseen.score"]) == metrics[best]["unseen"]["score"]
    challenger = client.get_model_version_by_alias("notedecay-bells", "challenger")
    assert challenger.tags["model"] == "lstm"
    assert "lstm (version 2) does not beat esprit (version 1)" in challenger.tags["decision"]
    assert challenger.description == challenger.tags["decision"]
    assert version.description == version.tags["decision"]
    assert "(bells)" in client.get_registered_model("notedecay-bells").description


def test_esprit_solves_the_bells_and_silence_gets_nothing(project):
    metrics = read(project / "results/bells/scores.json")
    assert metrics["esprit"]["unseen"]["decay_ok"] > 0.95
    assert metrics["silence"]["unseen"]["score"] == 0.0


def test_every_run_has_figures_and_audio(client):
    experiment = client.get_experiment_by_name("notedecay-bells")
    runs = client.search_runs([experiment.experiment_id])
    kinds = sorted(run.data.tags["notedecay.kind"] for run in runs)
    assert kinds == ["baseline", "baseline", "oracle", "study", "train", "trial", "trial"]
    study = next(r for r in runs if r.data.tags["notedecay.kind"] == "study")
    files = {}
    for run in runs:
        tags = run.data.tags
        assert run.info.status == "FINISHED"
        assert {"git.commit", "git.dirty", "data.md5", "dvc.lock.md5", "seed"} <= set(tags)
        if tags["notedecay.kind"] == "study":
            continue
        assert {"seen.score", "validation.score"} <= set(run.data.metrics)
        splits = client.list_artifacts(run.info.run_id, "listen")
        files[run.info.run_id] = {
            f.path for split in splits for f in client.list_artifacts(run.info.run_id, split.path)
        }
        if tags["notedecay.kind"] == "trial":
            assert tags["mlflow.parentRunId"] == study.info.run_id
            assert not any("test" in path for path in files[run.info.run_id])
    common = set.intersection(*files.values())
    assert len(common) == 2
    run_id = next(iter(files))
    files = {Path(f.path).name for f in client.list_artifacts(run_id, min(common))}
    assert files == {"original.wav", "with_prime.wav", "without_prime.wav", "picture.png"}


def test_changing_the_search_of_one_instrument_re_runs_that_and_going_back_restores(
    project, client
):
    runs_before = read(project / "results/bells/runs.json")
    text = (project / "params.yaml").read_text()
    params = yaml.safe_load(text)
    params["instruments"]["bells"]["search"]["trials"] = 3
    toy.write_params(project, params)
    assert ran(toy.dvc(project, "repro"))[:2] == ["configure", "search"]
    (project / "params.yaml").write_text(text)
    assert ran(toy.dvc(project, "repro")) == []
    assert read(project / "results/bells/runs.json") == runs_before
    for run_id in runs_before.values():
        assert client.get_run(run_id).info.lifecycle_stage == "active"
    champion = read(project / "results/bells/registered.json")["champion"]
    assert client.get_run(champion["run_id"]).info.status == "FINISHED"


def test_a_store_that_never_saw_the_runs_is_filled_from_the_results(project, tmp_path):
    elsewhere = tmp_path / "clone"
    shutil.copytree(project, elsewhere, ignore=lambda *_: ["mlruns"], symlinks=True)
    assert ran(toy.dvc(elsewhere, "repro")) == []
    client = connect(elsewhere / "mlruns")
    champion = read(elsewhere / "results/bells/registered.json")["champion"]
    run = client.get_run(champion["run_id"])
    assert "notedecay.imported_from" in run.data.tags
    assert "test.score" in run.data.metrics
    toy.dvc(elsewhere, "repro")
    versions = client.search_model_versions("name = 'notedecay-bells'")
    assert len(versions) == 2


def test_changed_data_are_refused_by_name_and_the_pin_stays(project):
    note = next((project / "data/bells/own").glob("C4.wav"))
    content, pinned = note.read_bytes(), (project / "data.dvc").read_text()
    note.unlink()
    note.write_bytes(content[:-100])
    try:
        answer = toy.dvc(project, "repro", ok=False)
        assert answer.returncode != 0
        assert "changed: bells/own/C4.wav" in answer.stdout + answer.stderr
        assert (project / "data.dvc").read_text() == pinned
    finally:
        note.write_bytes(content)
    assert ran(toy.dvc(project, "repro")) == []


def test_an_experiment_in_a_temporary_copy_keeps_its_runs(project, client):
    experiment = client.get_experiment_by_name("notedecay-bells").experiment_id
    before = len(client.search_runs([experiment]))
    toy.dvc(project, "exp", "run", "--temp", "-S", "instruments.bells.train.epochs=2")
    assert len(client.search_runs([experiment])) > before
    shown = toy.dvc(project, "exp", "show", "--csv").stdout
    assert "instruments.bells.train.epochs" in shown


def test_dvc_shows_metrics_parameters_and_plots(project):
    toy.dvc(project, "repro")
    shown = toy.dvc(project, "metrics", "show").stdout
    assert all(f"bells.{name}" in shown for name in ("score", "decay_ok", "missing"))
    toy.dvc(project, "metrics", "diff")
    toy.dvc(project, "params", "diff")
    toy.dvc(project, "plots", "show")
    page = (project / "dvc_plots/index.html").read_text()
    assert "training" in page
    assert "comparison.png" in page


def generated(project: Path, prime: Path, out: Path) -> np.ndarray:
    toy.notedecay(
        project, "generate", "--model", MODEL, "--prime", str(prime), "--seconds", "1",
        "--out", str(out),
    )  # fmt: skip
    samples, rate = soundfile.read(out, dtype="float32")
    assert rate == 4000
    return np.asarray(samples)


@pytest.fixture
def served(project):
    with serving(project, MODEL) as address:
        yield address


def test_command_python_and_rest_give_the_same_samples(project, served, tmp_path, monkeypatch):
    prime = project / "data/bells/own/C4.wav"
    by_command = generated(project, prime, tmp_path / "out.wav")
    monkeypatch.chdir(project)
    by_python = nd.generate(nd.load(MODEL), prime, seconds=1)
    request = {"dataframe_records": [
        {"prime": base64.b64encode(prime.read_bytes()).decode(), "seconds": 1.0}
    ]}  # fmt: skip
    answer = requests.post(served, json=request, timeout=60)
    audio = base64.b64decode(answer.json()["predictions"][0]["audio"])
    (tmp_path / "rest.wav").write_bytes(audio)
    by_rest, _ = soundfile.read(tmp_path / "rest.wav", dtype="float32")
    assert (tmp_path / "rest.wav").read_bytes() == (tmp_path / "out.wav").read_bytes()
    np.testing.assert_array_equal(by_command, by_rest)
    np.testing.assert_allclose(by_python.samples, by_command, atol=2**-23)
    assert len(by_command) == round(0.33 * 4000) + 4000
    good = request["dataframe_records"][0]
    for bad, line in (
        ({"prime": "!", "seconds": 1.0}, "row 2 of 2: prime is not base64 of a WAV or FLAC file"),
        ({**good, "seconds": 1e9}, "row 2 of 2: seconds must be above 0 and up to 60, got 1e+09"),
    ):
        refused = requests.post(served, json={"dataframe_records": [good, bad]}, timeout=60)
        assert refused.status_code == 400
        assert refused.json() == {"error_code": "BAD_REQUEST", "message": line}


def test_a_model_whose_weights_have_changed_is_refused(project, client, tmp_path):
    version = client.get_model_version_by_alias("notedecay-bells", "challenger")
    uri = f"models:/notedecay-bells/{version.version}"
    weights = versions.folder_of(client, version) / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-20] + bytes(byte ^ 1 for byte in content[-20:]))
    prime = project / "data/bells/own/C4.wav"
    call = ["generate", "--model", uri, "--prime", str(prime), "--out", str(tmp_path / "x.wav")]
    try:
        answer = toy.notedecay(project, *call, ok=False)
    finally:
        weights.write_bytes(content)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert "weights.safetensors is not as it was saved" in answer.stderr
    assert not (tmp_path / "x.wav").exists()
    toy.notedecay(project, *call)


@pytest.mark.parametrize("stage", ["search", "train", "compare", "register"])
def test_a_test_note_that_was_moved_to_the_training_is_refused(project, stage):
    path = project / "results/bells/split.json"
    text = path.read_text()
    parts = read(path)
    parts["train"].append(parts["test"].pop())
    path.unlink()  # it may be a link into DVC's cache
    path.write_text(json.dumps(parts))
    try:
        answer = toy.notedecay(project, "stage", stage, "bells", ok=False)
    finally:
        path.write_text(text)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert "run 'dvc repro --force prepare@bells'" in answer.stderr


def test_what_is_named_as_its_remedy_mends_it_also_once_it_was_committed(project):
    path, lock = project / "results/bells/split.json", project / "dvc.lock"
    text, locked = path.read_text(), lock.read_text()
    parts = read(path)
    parts["train"].append(parts["test"].pop())
    path.unlink()
    path.write_text(json.dumps(parts))
    toy.dvc(project, "commit", "--force", "prepare@bells")
    assert "split.json" in toy.dvc(project, "repro", ok=False).stderr
    toy.dvc(project, "repro", "--force", "prepare@bells")
    assert path.read_text() == text
    assert ran(toy.dvc(project, "repro")) == []
    assert lock.read_text() == locked


def test_the_continuation_decays_as_the_note_does(project, tmp_path):
    note = project / "data/bells/own/C4.wav"
    made = generated(project, note, tmp_path / "out.wav")
    level = [20 * np.log10(np.sqrt(np.mean(part**2))) for part in np.split(made[:5200], 4)]
    assert level[0] > level[1] > level[2] > level[3]
    assert level[0] - level[3] == pytest.approx(60 * 0.975 / 1.8, abs=8)


def test_the_table_at_the_end(project):
    shown = toy.notedecay(project, "report").stdout
    assert "bells: champion is esprit (notedecay-bells, version 1)" in shown
    assert "notedecay generate --model models:/notedecay-bells@champion" in shown
    assert re.search(r"lstm\s+│?\s*unseen", shown)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["generate", "--model", "models:/notedecay-bell@champion"],
            "did you mean 'notedecay-bells'",
        ),
        (["generate", "--model", "models:/notedecay-bells@champ"], "did you mean 'champion'"),
        (["generate", "--model", "models:/notedecay-bells/99"], "no version 99; it has"),
        (["generate", "--model", "notedecay-bells"], "no model 'notedecay-bells'; known: bells"),
        (["stage", "prepair", "bells"], "did you mean 'prepare'"),
        (["stage", "prepare", "bell"], "did you mean 'bells'"),
    ],
)
def test_unknown_names_are_one_line_and_exit_code_2(project, arguments, line, tmp_path):
    if arguments[0] == "generate":
        prime = project / "data/bells/own/C4.wav"
        arguments = [*arguments, "--prime", str(prime), "--out", str(tmp_path / "x.wav")]
    answer = toy.notedecay(project, *arguments, ok=False)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert line in answer.stderr
    assert not (tmp_path / "x.wav").exists()
