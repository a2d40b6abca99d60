"""A store or a database of studies that cannot be used: one line, and nothing is touched."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import filelock
import pytest
from mlflow.exceptions import MlflowException

from notedecay.core.errors import UserError
from notedecay.experiments.search.storage import SharedStudy
from notedecay.tracking import database, store
from notedecay.tracking.database import sqlite_file
from notedecay.tracking.runs import Tracker
from notedecay.tracking.store import connect

Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def own_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, bytes]:
    """What whole databases hold."""
    folder = tmp_path_factory.mktemp("good")
    connect(folder / "mlruns")
    open_studies(folder / "mlruns")
    return {name: (folder / "mlruns" / name).read_bytes() for name in OPEN}


def open_studies(mlruns: Path) -> None:
    with SharedStudy("s", mlruns, ["maximize"]):
        pass


OPEN: dict[str, Callable[[Path], object]] = {"mlflow.db": connect, "optuna.db": open_studies}


@pytest.fixture(params=OPEN)
def path(request, good, tmp_path) -> Path:
    """A whole database in a folder whose name needs quotes."""
    mlruns = tmp_path / "it's here" / "mlruns"
    mlruns.mkdir(parents=True)
    (mlruns / request.param).write_bytes(good[request.param])
    return mlruns / request.param


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        OPEN[path.name](path.parent)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    assert "MLFLOW_TRACKING_URI" not in line
    return line


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def only_a_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def text(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\n")


BROKEN = {
    garbage: "not a SQLite database",
    truncated: "damaged or cut short",
    only_a_header: "bring back a copy",
    text: "not a SQLite database",
}


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_a_file_that_is_no_whole_database_is_left_as_it_is(path, make):
    make(path)
    before = path.read_bytes()
    line = refusal(path)
    assert BROKEN[make] in line
    assert path.read_bytes() == before
    command = line[line.rindex("'mv ") + 1 : -1] if line.endswith("'") else ""
    assert shlex.split(command)[:2] == ["mv", str(path)]
    Path(shlex.split(command)[2]).write_bytes(before)
    path.unlink()
    OPEN[path.name](path.parent)  # as the line says, it begins anew
    make(path)
    assert f"{path.name}.old2" in refusal(path)  # no copy is written over


def test_a_folder_in_the_place_of_a_database_is_named(path):
    path.unlink()
    path.mkdir()
    assert "it is a folder, not a database" in refusal(path)
    assert path.is_dir()


def test_a_database_of_something_else_gets_no_tables_of_ours(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table recipes (name text)")
        other.commit()
    before = path.read_bytes()
    assert "a database of something else" in refusal(path)
    assert path.read_bytes() == before


def test_the_two_databases_are_not_taken_for_each_other(path, good):
    other = next(name for name in OPEN if name != path.name)
    path.write_bytes(good[other])
    if path.name == "optuna.db":
        assert "a database of something else" in refusal(path)
    else:
        refusal(path)


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_database_is_begun(path, content):
    if content is None:
        with closing(sqlite3.connect(path)) as database_:
            tables = (
                "select name from sqlite_master where type = 'table' and name not like 'sqlite%'"
            )
            database_.execute("pragma foreign_keys = off")
            for (name,) in database_.execute(tables).fetchall():
                database_.execute(f"drop table {name}")
            database_.commit()
    else:
        path.write_bytes(content)
    OPEN[path.name](path.parent)
    assert path.stat().st_size > 10_000


def test_an_empty_database_beside_files_of_runs_has_lost_something(tmp_path):
    path = tmp_path / "mlruns/mlflow.db"
    (tmp_path / "mlruns/artifacts/run").mkdir(parents=True)
    path.touch()
    line = refusal(path)
    assert "it is empty" in line
    assert str(tmp_path / "mlruns/artifacts") in line


@contextmanager
def held(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("begin exclusive")
        yield
        holder.execute("rollback")


def test_a_locked_database_is_waited_for_a_while_and_named(path, monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    before = path.read_bytes()
    with held(path):
        line = refusal(path)
        assert "it is locked by another process" in line
        assert "wait for that process or end it" in line
    assert path.read_bytes() == before
    OPEN[path.name](path.parent)


def test_a_process_that_holds_a_database_is_named(path, monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    program = (
        "import sqlite3, sys, time\n"
        "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "held.execute('begin exclusive'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        line = refusal(path)
        holder.kill()
    assert f"it is locked by process {holder.pid} (" in line


def test_a_database_that_may_not_be_written_to_is_named(path, monkeypatch):
    """As root every file may be, so the question is answered here."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: p != path and access(p, mode))
    assert "it is read-only: let it and its folder be written to" in refusal(path)


def test_a_folder_that_is_a_file_is_named(path):
    shutil.rmtree(path.parent)
    path.parent.write_text("not a folder")
    with pytest.raises(UserError) as caught:
        OPEN[path.name](path.parent)
    assert str(path.parent) in str(caught.value)
    assert path.parent.read_text() == "not a folder"


def test_a_store_that_another_command_opens_for_ever_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    (tmp_path / "mlruns").mkdir()
    with filelock.FileLock(tmp_path / "mlruns/.store.lock"), pytest.raises(UserError) as caught:
        connect(tmp_path / "mlruns")
    assert "held for 0 s by another notedecay" in str(caught.value)


REASONS = {
    "(sqlite3.OperationalError) database or disk is full\n[SQL: insert into runs]": "disk is full",
    "(sqlite3.OperationalError) disk I/O error": "the disk failed, or is full",
    "(sqlite3.OperationalError) attempt to write a readonly database": "it is read-only",
    "(sqlite3.DatabaseError) database disk image is malformed": "damaged or cut short",
    "(sqlite3.OperationalError) no such table: runs [SQL: select 1]": "tables are missing in it",
    "[Errno 28] No space left on device: 'x'": "the disk is full",
    "something new\n(Background on this error at: https://sqlalche.me/e/20/e3q8)": "something new",
}


@pytest.mark.parametrize("text", REASONS)
def test_an_error_of_a_database_is_one_line_with_a_remedy(tmp_path, text):
    path = tmp_path / "mlflow.db"
    line = str(database.failure(path, database.RUNS, MlflowException(text)))
    assert line.startswith(f"{path}: ")
    assert REASONS[text] in line
    assert "\n" not in line
    assert "[SQL" not in line
    assert "Background" not in line


def stamp(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as database_:
        database_.execute("update alembic_version set version_num = ?", (version,))
        database_.commit()


OLDER = {"mlflow.db": "75868b020152", "optuna.db": "v2.6.0.a"}


def test_the_command_for_an_older_database_is_whole_and_names_it(path):
    stamp(path, OLDER[path.name])
    line = refusal(path)
    command = shlex.split(line[line.index("then run ") + len("then run ") :])
    assert Path(command[0]).parent == Path(sys.executable).parent
    assert command[1:3] in (["db", "upgrade"], ["storage", "upgrade"])
    assert sqlite_file(command[-1]) == path


def test_a_newer_database_asks_for_the_newer_program(path):
    stamp(path, "ffffffffffff")
    line = refusal(path)
    program = "mlflow" if path.name == "mlflow.db" else "optuna"
    assert "a newer" in line
    assert shlex.split(line[line.index("such as with ") + len("such as with ") :]) == [
        sys.executable, "-m", "pip", "install", "--upgrade", program,
    ]  # fmt: skip


def test_a_database_that_the_user_names_is_checked_too(tmp_path, monkeypatch):
    path = tmp_path / "theirs.db"
    garbage(path)
    before = path.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    with pytest.raises(UserError, match="not a SQLite database") as caught:
        connect(tmp_path / "mlruns")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_password_is_not_printed(tmp_path, monkeypatch):
    uri = "postgresql://me:secret@host/db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    error = MlflowException("out-of-date database schema (found version 75868b020152, but ...")
    line = str(store.explained(uri, tmp_path, error))
    assert line.endswith('mlflow db upgrade "$MLFLOW_TRACKING_URI"')
    assert "secret" not in line


def test_an_experiment_that_was_deleted_is_restored_with_its_runs(tmp_path, capsys):
    mlruns = tmp_path / "mlruns"
    first = Tracker(mlruns, "bells", {})
    with first.run("one", "trial") as earlier:
        pass
    first.client.delete_experiment(first.experiment_id)
    capsys.readouterr()
    again = Tracker(mlruns, "bells", {})
    assert capsys.readouterr().err == (
        "the experiment notedecay-bells was deleted: it is restored\n"
    )
    assert again.experiment_id == first.experiment_id
    assert again.has(earlier.id)
    with again.run("two", "trial"):
        pass
    Tracker(mlruns, "bells", {})
    assert capsys.readouterr().err == ""


def test_a_study_whose_database_fails_meanwhile_says_so(tmp_path):
    path = tmp_path / "optuna.db"
    with SharedStudy("s", tmp_path, ["maximize"]) as study:
        path.write_bytes(b"lost" * 2000)
        with pytest.raises(UserError, match="is not a SQLite database"):
            study.over()
