"""Projects in folders whose names mean something to a URL, a shell or a pattern."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from sqlalchemy.engine import make_url

from notedecay.experiments.search.storage import SharedStudy
from notedecay.tracking.database import sqlite_file, sqlite_url
from notedecay.tracking.runs import Tracker
from notedecay.tracking.store import connect

NAMES = [
    "what?", "what?mode=ro", "100%", "50%41", "a#b", "ü ö", "two  blanks", "[x]", "a;b", "a&b=c",
    "$HOME", "it's", 'a "b"', "a+b", "a@b:c", "{x}", "back\\slash", "file:x", "~", "日本",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_address_names_the_file_that_it_was_made_of(name):
    path = Path("/somewhere") / name / "mlflow.db"
    assert Path(make_url(sqlite_url(path)).database or "") == path
    assert sqlite_file(sqlite_url(path)) == path


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "postgresql://me:pw@host/db", "sqlite:///:memory:", "mlruns"]
)
def test_an_address_of_anything_else_names_no_file(url):
    assert sqlite_file(url) is None


@pytest.fixture(autouse=True)
def own_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


FEW = ["what?", "50%41", "a#b", "ü ö", "[x]", "a;b & $HOME", 'it\'s "c"', "file:x"]


@pytest.mark.parametrize("name", FEW)
def test_all_is_kept_inside_the_project_and_found_again_when_it_moves(name, tmp_path, monkeypatch):
    top = tmp_path / "top"
    project = top / name
    project.mkdir(parents=True)
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a.txt").write_text("kept")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Tracker(project / "mlruns", "bells", {}).run("one", "trial") as run:
        run.folder(tmp_path / "made", "listen")
    assert read(project / "mlruns", run.id, tmp_path) == "kept"
    with SharedStudy("s", project / "mlruns", ["maximize"]) as study:
        assert study.claim(0)
        study.add(0, optuna.create_trial(value=0.5, user_attrs={"slot": 0}))
    assert sorted(path.name for path in top.iterdir()) == [name]
    assert {"mlflow.db", "optuna.db", "artifacts"} <= {
        p.name for p in (project / "mlruns").iterdir()
    }

    moved = project.rename(top / f"{name} moved")
    assert read(moved / "mlruns", run.id, tmp_path) == "kept"
    with SharedStudy("s", moved / "mlruns", ["maximize"]) as study:
        assert study.over()[0].value == 0.5
    assert sorted(path.name for path in top.iterdir()) == [moved.name]


def read(mlruns: Path, run_id: str, folder: Path) -> str:
    """Content of the artifact, which must lie in the store."""
    assert len(list((mlruns / "artifacts").rglob("a.txt"))) == 1
    fetched = connect(mlruns).download_artifacts(run_id, "listen/a.txt", str(folder))
    return Path(fetched).read_text()
