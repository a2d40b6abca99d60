"""The storage of studies: finished trials, once each, in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import optuna
import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.search import storage
from notedecay.experiments.search.storage import STORAGE, SharedStudy, study_summaries
from tests.postgres import Postgres

pytestmark = pytest.mark.end_to_end


@pytest.fixture(params=["sqlite", "postgresql"])
def mlruns(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(STORAGE, raising=False)
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv(STORAGE, server.create(tmp_path.name))
    return tmp_path


def shared(mlruns: Path, name: str = "s") -> SharedStudy:
    return SharedStudy(name, mlruns, ["maximize"])


def over(slot: int, value: float = 0.5) -> optuna.trial.FrozenTrial:
    return optuna.create_trial(value=value, user_attrs={"slot": slot, "model": "lstm"})


def test_what_one_writes_another_reads(mlruns: Path) -> None:
    with shared(mlruns) as one, shared(mlruns) as other:
        assert one.over() == {}
        assert one.claim(2)
        one.add(2, over(2, 0.25))
        one.keep("seeds", [1, 2])
        assert {slot: trial.value for slot, trial in other.over().items()} == {2: 0.25}
        assert other.attribute("seeds") == [1, 2]
        assert other.attribute("nothing") is None


def test_a_slot_is_written_once(mlruns: Path) -> None:
    with shared(mlruns) as one, shared(mlruns) as other:
        one.claim(0)
        one.add(0, over(0, 0.1))
        other.add(0, over(0, 0.9))
        assert one.over()[0].value == other.over()[0].value == 0.1
        assert len(one._study.trials) == 1


def test_studies_are_apart(mlruns: Path) -> None:
    with shared(mlruns) as one, shared(mlruns, "t") as other:
        one.claim(0)
        one.add(0, over(0))
        assert other.over() == {}
    assert {name: s.n_trials for name, s in study_summaries(mlruns).items()} == {"s": 1, "t": 0}


def test_many_may_make_a_study_at_once(mlruns: Path) -> None:
    """On an empty database each would make the tables."""
    faults: list[BaseException] = []

    def make() -> None:
        try:
            with shared(mlruns) as study:
                study.over()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert list(study_summaries(mlruns)) == ["s"]


def test_a_server_that_is_away_is_waited_for(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE, postgres.create(tmp_path.name))
    lines: list[str] = []
    with SharedStudy("s", tmp_path, ["maximize"], lines.append) as study:
        assert study.claim(0)
        postgres.stop()
        back = threading.Thread(target=lambda: (time.sleep(3), postgres.start()))
        back.start()
        study.add(0, over(0, 0.75))
        back.join()
        assert study.over()[0].value == 0.75
        assert study.claim(0)
    assert lines
    assert set(lines) == {"the database of studies is away: waiting for it"}


def test_a_server_that_stays_away_is_one_line_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE, "postgresql://me:hunter2@127.0.0.1:1/studies")
    with pytest.raises(UserError) as error:
        shared(tmp_path)
    assert str(error.value).startswith(
        "the database of studies at 127.0.0.1:1/studies cannot be used: start it, or mend "
        "NOTEDECAY_STORAGE"
    )
    assert "hunter2" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("nonsense", "NOTEDECAY_STORAGE is no address of a database: write it as postgresql://"),
        ("mysql://u:p@h/d", "NOTEDECAY_STORAGE names a database of mysql"),
    ],
)
def test_another_address_is_one_line(
    address: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE, address)
    with pytest.raises(UserError, match=line):
        shared(tmp_path)


def test_a_fault_while_it_is_used_is_one_line_without_sql(
    mlruns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 0.0)
    with shared(mlruns) as study:
        study._study._storage.remove_session()  # type: ignore[attr-defined]
        with study._storage.engine.begin() as connection:
            connection.exec_driver_sql(
                "drop table trial_user_attributes"
                + (" cascade" if study._storage.engine.name == "postgresql" else "")
            )
        with pytest.raises(UserError) as error:
            study.claim(0)
            study.add(0, over(0))
    assert "\n" not in str(error.value)
    assert "INSERT" not in str(error.value)
