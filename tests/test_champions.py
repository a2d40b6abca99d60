"""Models by the name of an instrument: registered ones first, then those that are shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import notedecay
from notedecay import champions
from notedecay.core.errors import UserError
from notedecay.models import Signal, create, load
from notedecay.models.base import DESCRIPTION
from notedecay.registry import versions
from notedecay.tracking.runs import Tracker
from tests import toy

MAX_BYTES = 2_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which nothing was run."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(toy.ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def register(project: Path, instrument: str, alias: str) -> None:
    folder = project / "saved" / instrument
    folder.mkdir(parents=True)
    create("esprit", Signal(instrument=instrument, rate=2000), {"order": 8}).save(folder)
    tracker = Tracker(project / "mlruns", instrument, {})
    with tracker.run("baseline esprit", "baseline") as run:
        pass
    name = f"notedecay-{instrument}"
    version = versions.register(tracker.client, folder, run.id, name, {"model": "esprit"})
    tracker.client.set_registered_model_alias(name, alias, version.version)


@pytest.mark.parametrize("instrument", ["piano", "guitar"])
def test_a_default_instrument_has_a_small_model_with_a_card(instrument: str) -> None:
    folder = champions.shipped()[instrument]
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES
    assert {DESCRIPTION, "SHA256SUMS", "README.md"} <= {path.name for path in folder.iterdir()}
    assert load(folder).signal.instrument == instrument  # checks the checksums too


@pytest.mark.usefixtures("project")
def test_without_a_registry_the_shipped_model_is_used_and_no_store_is_made(project: Path) -> None:
    found = champions.find("piano")
    assert found.source.startswith("piano: the model shipped with notedecay")
    assert found.model.name == load(champions.shipped()["piano"]).name
    assert not (project / "mlruns").exists()


def test_the_champion_of_the_project_comes_first(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(project, "piano", "champion")
    register(project, "bells", "champion")
    register(project, "gongs", "challenger")
    found = champions.find("piano")
    assert found.source == "piano: the champion of this project, notedecay-piano version 1"
    assert found.model.name == "esprit"
    with caplog.at_level("INFO", "notedecay"):
        assert notedecay.load("bells").signal.instrument == "bells"
    assert "the champion of this project, notedecay-bells version 1" in caplog.text
    assert champions.find("guitar").source.endswith("(this project has none)")
    with pytest.raises(UserError, match=r"no model 'gongs'; known: bells, guitar, piano$"):
        champions.find("gongs")


@pytest.mark.usefixtures("project")
def test_a_folder_that_holds_a_model_is_loaded_from_there(tmp_path: Path) -> None:
    (tmp_path / "piano").mkdir()
    create("silence", Signal(instrument="piano", rate=2000), {}).save(tmp_path / "piano")
    assert champions.find("piano").model.name == "silence"
    assert champions.find("./piano").source == ""
    shutil.rmtree(tmp_path / "piano")
    (tmp_path / "piano").mkdir()  # as the folder of recordings is
    assert champions.find("piano").model.name != "silence"


def test_a_shipped_model_makes_a_note(tmp_path: Path) -> None:
    model = notedecay.load("guitar")
    seconds = np.arange(2 * model.signal.rate) / model.signal.rate
    tone = np.exp(-2 * seconds) * np.sin(2 * np.pi * 220 * seconds)
    from notedecay.audio import write

    write(tmp_path / "A3.wav", tone.astype(np.float32), model.signal.rate)
    made = notedecay.generate(model, tmp_path / "A3.wav", seconds=1.0)
    half = len(made.samples) // 2
    loud, soft = np.abs(made.samples[:half]).max(), np.abs(made.samples[half:]).max()
    assert 0.02 < soft / loud < 0.7  # by 2 per second the tone itself falls to a quarter
