"""A search by several processes under faults: exactly the trials asked for, the same ones."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.searched import TRIALS, Searched, Tally, kill, kill_all, make, trial_process

pytestmark = pytest.mark.end_to_end

Fault = Callable[[Searched, Postgres | None], None]


def none(searched: Searched, _: Postgres | None) -> None:
    """Four workers, nothing happens to them."""
    searched.workers(4)


def a_worker_is_killed(searched: Searched, _: Postgres | None) -> None:
    first, *_others = searched.workers(2)
    searched.until(searched.under_way)
    kill(first)


def all_are_killed(searched: Searched, _: Postgres | None) -> None:
    searched.workers(2)
    searched.until(searched.under_way)
    kill_all(searched)
    searched.workers(2)


def a_trial_is_killed(searched: Searched, _: Postgres | None) -> None:
    """As by a want of memory: the worker lives, and tries again."""
    (worker,) = searched.workers(1)
    searched.until(searched.under_way)
    searched.until(lambda: (trial := trial_process(worker)) is not None and not trial.kill())


def the_supervisor_is_killed(searched: Searched, _: Postgres | None) -> None:
    """With two workers below it; a worker by hand goes on, and another supervisor."""
    supervisor = searched.start("bells", "--workers", "2")
    searched.workers(1)
    searched.until(searched.under_way)
    kill(supervisor)
    searched.start("bells", "--workers", "2")


def a_worker_is_stopped(searched: Searched, _: Postgres | None) -> None:
    """For longer than any time limit of a heartbeat in a test; it wakes, and goes on."""
    first, *_others = searched.workers(2)
    searched.until(searched.under_way)
    family = [first.pid]
    if trial := trial_process(first):
        family.append(trial.pid)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(8)
    for pid in family:
        os.kill(pid, signal.SIGCONT)


def the_host_has_another_name(searched: Searched, _: Postgres | None) -> None:
    """As in a new container: nothing that a killed process has left hides behind its host."""
    searched.workers(1)
    searched.until(searched.under_way)
    kill_all(searched)
    command = ["unshare", "--uts", "sh", "-c", "hostname elsewhere && notedecay search bells"]
    done = subprocess.run(
        command, cwd=searched.root, env=searched.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if "Operation not permitted" in done.stderr:
        pytest.skip("no rights to change the name of the host")
    assert done.returncode == 0, done.stderr


def the_server_is_restarted(searched: Searched, server: Postgres | None) -> None:
    searched.workers(2)
    searched.until(searched.under_way)
    assert server is not None
    server.restart()


def the_server_crashes(searched: Searched, server: Postgres | None) -> None:
    searched.workers(2)
    searched.until(searched.under_way)
    assert server is not None
    server.crash()


ANYWHERE: list[Fault] = [
    none, a_worker_is_killed, all_are_killed, a_trial_is_killed, the_supervisor_is_killed,
    a_worker_is_stopped, the_host_has_another_name,
]  # fmt: skip
OF_SERVERS: list[Fault] = [the_server_is_restarted, the_server_crashes]
SHORT = {("sqlite", all_are_killed), ("postgresql", the_server_is_restarted)}
"""What each run of the tests meets; 'make test-long' has all."""

CASES = [
    pytest.param(storage, fault, id=f"{fault.__name__}-{storage}",
                 marks=() if (storage, fault) in SHORT else pytest.mark.long)
    for storage, faults in (("sqlite", ANYWHERE), ("postgresql", ANYWHERE + OF_SERVERS))
    for fault in faults
]  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "project")


@pytest.fixture(scope="module")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    """What one worker makes when nothing happens."""
    searched = Searched.copied(prepared, tmp_path_factory.mktemp("undisturbed") / "project")
    searched.workers(1)
    searched.wait()
    return searched.tally()


def test_undisturbed_it_makes_what_was_asked_for(undisturbed: Tally) -> None:
    assert list(undisturbed.states) == list(range(TRIALS))
    assert set(undisturbed.states.values()) <= {"COMPLETE", "PRUNED"}
    assert len({str(point) for point in undisturbed.points.values()}) == TRIALS
    assert undisturbed.runs == {"FINISHED": TRIALS + 1}
    assert undisturbed.left == []


@pytest.mark.parametrize(("storage", "fault"), CASES)
def test_whatever_happens_the_trials_are_the_same(
    storage: str,
    fault: Fault,
    prepared: Path,
    undisturbed: Tally,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    server = request.getfixturevalue("postgres") if storage == "postgresql" else None
    url = server.create(f"{fault.__name__}") if server else None
    searched = Searched.copied(prepared, tmp_path / "project", url)
    try:
        fault(searched, server)
        searched.wait()
    finally:
        kill_all(searched)
    tally = searched.tally()
    assert tally.points == undisturbed.points, searched.texts()
    assert tally.states == undisturbed.states
    assert tally.runs == undisturbed.runs
    assert tally.left == []
    assert "Traceback" not in searched.texts()
