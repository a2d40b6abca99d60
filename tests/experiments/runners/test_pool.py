"""The crew: jobs side by side, whatever happens to one of them, or to all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.runners import pool
from notedecay.experiments.runners.worker import ERROR, Fault
from notedecay.experiments.trial import unfinished
from tests.experiments.runners.fakes import do, work

ROOT = Path(__file__).resolve().parents[3]
LONG = "sleep 60"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@contextmanager
def program(place: Path, *jobs: str) -> Iterator[subprocess.Popen[str]]:
    """A program that does jobs, with a process group of its own as in a terminal."""
    command = [sys.executable, "-m", "tests.experiments.runners.fakes", str(place), *jobs]
    running = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    with running:
        try:
            yield running
        finally:
            running.kill()


def until_half_written(place: Path, count: int) -> None:
    while len(list(place.glob(".*.partial"))) < count:
        time.sleep(0.02)


def hidden(place: Path) -> list[str]:
    return [path.name for path in place.glob(".*")]


def done(folder: Path) -> list[float]:
    """The process that did a job, its threads, when it began and ended (s)."""
    return [float(word) for word in (folder / "done").read_text().split()]


def test_each_job_has_a_process_of_its_own_and_two_run_at_once(place: Path) -> None:
    assert do(place, ["sleep 0.3"] * 4) == {f"{n}-sleep": None for n in range(4)}
    rows = [done(place / f"{n}-sleep") for n in range(4)]
    assert len({pid for pid, *_ in rows} | {os.getpid()}) == 5
    assert {threads for _, threads, *_ in rows} == {1}
    at_once = [sum(b < began + 0.001 < e for *_, b, e in rows) for *_, began, _ in rows]
    assert max(at_once) == 2


def test_it_tells_the_epochs_of_each_before_its_end(place: Path) -> None:
    told: list[object] = []
    pool.run(
        [("sleep", place / "a"), ("sleep", place / "b")],
        work,
        processes=1,
        device="cpu",
        on_epoch=lambda folder, number, of: told.append((folder.name, number, of)),
        on_end=lambda folder, fault: told.append((folder.name, fault)),
    )
    for name in "ab":
        mine = [word for word in told if word[0] == name]  # type: ignore[index]
        assert mine == [(name, 1, 2), (name, 2, 2), (name, None)]


def test_no_jobs_are_no_work(place: Path) -> None:
    assert do(place, []) == {}
    assert not place.exists()


def test_a_bug_names_its_type_and_keeps_its_traceback(place: Path) -> None:
    ends = do(place, ["bug", "sleep"])
    text = unfinished(place / "0-bug") / ERROR
    assert ends == {
        "0-bug": Fault(f"KeyError: 'x' (traceback: {text})", 1),
        "1-sleep": None,
    }
    assert 'raise KeyError("x")' in text.read_text()


def test_what_the_user_can_mend_is_one_line(place: Path) -> None:
    ends = do(place, ["mend", "sleep"])
    assert ends == {"0-mend": Fault("no note 'C9': give another", 2), "1-sleep": None}
    assert not (unfinished(place / "0-mend") / ERROR).exists()


def test_a_killed_job_is_tried_once_more_alone_and_blamed_alone(place: Path) -> None:
    ends = do(place, ["killed", "sleep 0.3", "sleep 0.3", "killed-once 0.1"])
    fault = ends.pop("0-killed")
    assert fault is not None
    assert "want of memory" in fault.line
    assert "--processes" in fault.line
    assert fault.code == 2
    assert set(ends.values()) == {None}
    assert (unfinished(place / "0-killed") / "tries").read_text() == "xx"
    others = [done(place / f"{n}-sleep") for n in (1, 2)]
    assert done(place / "3-killed-once")[2] > max(end for *_, end in others)
    assert hidden(place) == []


def test_a_process_that_just_ends_is_no_want_of_memory(place: Path) -> None:
    fault = do(place, ["exit"])["0-exit"]
    assert fault is not None
    assert fault.line == "its process died with exit code 3, also when tried alone"
    assert fault.code == 1


def test_an_error_of_who_is_told_ends_the_others(place: Path) -> None:
    def end(folder: Path, _: Fault | None) -> None:
        raise UserError(folder.name)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match="quick"):
        pool.run(
            [(LONG, place / "long"), ("sleep 0.2", place / "quick")],
            work,
            processes=2,
            device="cpu",
            on_epoch=lambda *_: None,
            on_end=end,
        )
    assert not (place / "long").exists()
    assert hidden(place) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_call_in_the_same_place_is_refused(place: Path) -> None:
    refused: list[str] = []

    def end(_: Path, fault: Fault | None) -> None:
        assert fault is None
        with pytest.raises(UserError, match="another call is at work in") as error:
            do(place, ["sleep"])
        refused.append(str(error.value))

    pool.run(
        [("sleep", place / "a")], work,
        processes=1, device="cpu", on_epoch=lambda *_: None, on_end=end,
    )  # fmt: skip
    assert str(place) in refused[0]
    assert do(place, ["sleep"]) == {"0-sleep": None}


def test_a_normal_end_says_nothing_and_leaves_no_process(place: Path) -> None:
    with program(place, *["sleep 0.2"] * 3) as running:
        until_half_written(place, 1)
        family = psutil.Process(running.pid).children(recursive=True)
        said = running.communicate(timeout=20)[1]
    assert (running.returncode, said) == (0, "")
    assert len(list(place.glob("*/done"))) == 3
    assert psutil.wait_procs(family, timeout=3)[1] == []


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_interrupted_it_is_gone_at_once_and_leaves_what_can_go_on(place: Path, how: str) -> None:
    with program(place, *[LONG] * 6) as running:
        until_half_written(place, 2)
        family = psutil.Process(running.pid).children(recursive=True)
        if how == "Ctrl-C":
            os.killpg(running.pid, signal.SIGINT)
        else:
            running.terminate()
        said = running.communicate()[1]
    assert (running.returncode, said) == (130, "")
    assert len(family) >= 3
    assert psutil.wait_procs(family, timeout=3)[1] == []
    assert hidden(place) == []
    assert {path.name for path in place.iterdir()} == {"0-sleep.unfinished", "1-sleep.unfinished"}


def test_killed_it_leaves_no_process_and_the_next_call_sweeps(place: Path) -> None:
    with program(place, LONG, LONG, LONG) as running:
        until_half_written(place, 2)
        family = psutil.Process(running.pid).children(recursive=True)
        running.kill()
        assert psutil.wait_procs(family, timeout=3)[1] == []
        assert running.communicate()[1] == ""
    assert len(hidden(place)) == 2
    assert do(place, ["sleep"] * 2) == {"0-sleep": None, "1-sleep": None}
    assert hidden(place) == []
