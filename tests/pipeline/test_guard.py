"""Stages alone at their work: real processes that wait, are interrupted, and are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from notedecay.core.errors import UserError
from notedecay.pipeline.guard import locked
from tests import toy

pytestmark = pytest.mark.end_to_end

WORK = """
import sys, time
from pathlib import Path
from notedecay.pipeline.guard import ended_with_dvc, locked

place, stage, instrument, name, seconds = sys.argv[1:]
place = Path(place)

def note(word):
    with (place / "log").open("a") as file:
        file.write(f"{name} {word}\\n")

try:
    with ended_with_dvc(), locked(place / "mlruns", stage, instrument, lambda line: note(line)):
        note("begins")
        time.sleep(float(seconds))
        note("ends")
except KeyboardInterrupt:
    note("is interrupted")
    sys.exit(130)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "work.py"
    path.write_text(WORK)
    return path


def log(place: Path) -> list[str]:
    path = place / "log"
    return path.read_text().splitlines() if path.exists() else []


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come; the generous limit is for a busy machine alone."""
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def start(program: Path, *words: str) -> subprocess.Popen[bytes]:
    """Do a stage's work: stage, instrument, name and seconds."""
    command = [sys.executable, str(program), str(program.parent), *words]
    return subprocess.Popen(command, env=toy.environment())


WAITING = "another 'notedecay stage train bells' is running: waiting for its end"


def test_a_second_one_reports_that_it_waits_and_then_does_its_work(program: Path) -> None:
    place = program.parent
    first = start(program, "train", "bells", "first", "1.5")
    until(lambda: log(place) == ["first begins"])
    second = start(program, "train", "bells", "second", "0")
    assert (first.wait(), second.wait()) == (0, 0)
    assert log(place) == [
        "first begins", f"second {WAITING}", "first ends", "second begins", "second ends",
    ]  # fmt: skip


@pytest.mark.parametrize(("stage", "instrument"), [("search", "bells"), ("train", "gongs")])
def test_another_stage_or_instrument_need_not_wait(
    program: Path, stage: str, instrument: str
) -> None:
    place = program.parent
    first = start(program, "train", "bells", "first", "60")
    try:
        until(lambda: log(place) == ["first begins"])
        assert start(program, stage, instrument, "second", "0").wait() == 0
    finally:
        first.kill()
        first.wait()
    assert log(place) == ["first begins", "second begins", "second ends"]


def test_one_that_is_killed_keeps_nobody_waiting(program: Path) -> None:
    place = program.parent
    first = start(program, "train", "bells", "first", "60")
    until(lambda: log(place) == ["first begins"])
    second = start(program, "train", "bells", "second", "0")
    until(lambda: len(log(place)) == 2)
    first.kill()
    first.wait()
    assert second.wait() == 0
    assert log(place)[-2:] == ["second begins", "second ends"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("waiting", [True, False], ids=["while waiting", "at work"])
def test_an_interrupt_ends_it_and_the_next_goes_on(
    program: Path, how: signal.Signals, waiting: bool
) -> None:
    place = program.parent
    first = start(program, "train", "bells", "first", "60")
    until(lambda: log(place) == ["first begins"])
    second = start(program, "train", "bells", "second", "60")
    until(lambda: len(log(place)) == 2)
    hit, other = (second, first) if waiting else (first, second)
    hit.send_signal(how)
    try:
        assert hit.wait() == 130
        # Which of the two writes its line first is open: the lock is free before the first reports.
        ended = {"second is interrupted"} if waiting else {"first is interrupted", "second begins"}
        until(lambda: set(log(place)[2:]) == ended)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_place_that_cannot_be_locked_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".locks").write_text("no folder")
    with (
        pytest.raises(UserError, match="cannot be locked") as error,
        locked(tmp_path, "train", "bells", print),
    ):
        pass
    assert "\n" not in str(error.value)


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    lines: list[str] = []
    for _ in range(2):
        with pytest.raises(ValueError, match="x"), locked(tmp_path, "train", "bells", lines.append):
            raise ValueError("x")
    assert lines == []


@pytest.fixture
def repository(program: Path) -> Path:
    """A DVC repository whose only stage does the work."""
    place = program.parent
    toy.dvc(place, "init", "-q", "--no-scm")
    return place


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("after", ["", " && echo"], ids=["alone", "below the shell"])
def test_it_ends_with_a_dvc_that_was_killed(repository: Path, shell: str, after: str) -> None:
    """A shell may make way for its last command; a second one keeps it there."""
    work = f"{sys.executable} work.py . train bells first 600{after}"
    (repository / "dvc.yaml").write_text(f"stages:\n  train:\n    cmd: {work}\n")
    environment = toy.environment() | {"SHELL": f"/bin/{shell}"}
    command = [sys.executable, "-m", "dvc", "repro"]
    dvc = subprocess.Popen(
        command, cwd=repository, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until(lambda: log(repository) == ["first begins"])
        below = psutil.Process(dvc.pid).children(recursive=True)
        assert len(below) in ([2] if after else [1, 2])
    finally:
        dvc.kill()
        dvc.wait()
    until(lambda: not any(one.is_running() for one in below))
    assert log(repository) == ["first begins", "first is interrupted"]


def test_without_dvc_it_may_outlive_its_parent(program: Path) -> None:
    """As under ``nohup``."""
    place = program.parent
    words = [sys.executable, str(program), str(place), "train", "bells", "first", "3"]
    parent = f"import subprocess, time; subprocess.Popen({words!r}); time.sleep(600)"
    starter = subprocess.Popen([sys.executable, "-c", parent], env=toy.environment())
    until(lambda: log(place) == ["first begins"])
    starter.kill()
    starter.wait()
    until(lambda: log(place) == ["first begins", "first ends"])


def test_it_ends_by_force_when_it_does_not_listen(program: Path) -> None:
    """Such as in a call of a library that does not come back."""
    place = program.parent
    deaf = WORK.replace("time.sleep(float(seconds))", "deaf(float(seconds))").replace(
        "place = Path(place)",
        "place = Path(place)\n"
        "import signal\n"
        "from notedecay.pipeline import guard\n"
        "guard.GRACE_SECONDS = 0.5\n"
        "def deaf(seconds):\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    time.sleep(seconds)\n",
    )
    program.write_text(deaf)
    words = [sys.executable, str(program), str(place), "train", "bells", "first", "600"]
    parent = f"import subprocess, time; subprocess.Popen({words!r}); time.sleep(600)"
    environment = toy.environment() | {"DVC_STAGE": "train@bells"}
    starter = subprocess.Popen([sys.executable, "-c", parent], env=environment)
    until(lambda: log(place) == ["first begins"])
    (worker,) = psutil.Process(starter.pid).children()
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert log(place) == ["first begins"]
