"""The pool: trials side by side, whatever happens to one of them, or to all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.runners.base import DiedFault, Fault, MachineFault
from notedecay.experiments.runners.pool import PoolRunner
from notedecay.experiments.runners.worker import ERROR
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from tests.experiments.runners.fakes import execute, fake, run

ROOT = Path(__file__).resolve().parents[3]
LONG = "sleep 60"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "trials"


def pool(place: Path, *devices: str) -> PoolRunner:
    return PoolRunner(TrialStore(place), devices or ["cpu"], execute)


@contextmanager
def program(place: Path, *jobs: str) -> Iterator[subprocess.Popen[str]]:
    """A program that runs trials, with a process group of its own as in a terminal."""
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


def halves(place: Path) -> list[str]:
    return [path.name for path in place.glob(".*") if path.name != ".locks"]


def done(place: Path, job: str, number: int) -> list[str]:
    """The process that ran a trial, its threads and device."""
    folder = TrialStore(place).folder(fake(job, number))
    return (folder / "done").read_text().split()


def test_each_trial_has_a_process_of_its_own_and_two_run_at_once(place: Path) -> None:
    """Each of the first two ends only when both have begun."""
    jobs = ["meet 2", "meet 2", "sleep", "sleep"]
    assert set(run(place, jobs).values()) == {None}
    rows = [done(place, job, number) for number, job in enumerate(jobs)]
    assert len({pid for pid, *_ in rows} | {str(os.getpid())}) == 5
    assert {threads for _, threads, _ in rows} == {"1"}


def test_it_reports_the_epochs_of_each_before_its_end(place: Path) -> None:
    reported: list[tuple[object, ...]] = []

    def note(trial: Trial, epoch: int, of: int, metrics: Mapping[str, float]) -> None:
        reported.append((trial.fingerprint, epoch, of, metrics["train_loss"]))

    pool(place).run(
        [fake("sleep", 0), fake("sleep", 1)],
        note,
        lambda trial, fault: reported.append((trial.fingerprint, fault)),
    )
    assert reported == [
        row for own in "01" for row in ((own, 1, 2, 0.5), (own, 2, 2, 0.4), (own, None))
    ]


def test_trials_at_once_have_the_devices_in_turn(place: Path) -> None:
    """Each of the four ends only when all have begun; the next takes a device that is free."""
    jobs = ["meet 4"] * 4 + ["sleep"]
    runner = pool(place, "cuda:0", "cuda:1", "cuda:0", "cuda:1")
    trials = [fake(job, number) for number, job in enumerate(jobs)]
    runner.run(trials, lambda *_: None, lambda *_: None)
    devices = [done(place, job, number)[2] for number, job in enumerate(jobs)]
    assert sorted(devices[:4]) == ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]
    assert devices[4] in ("cuda:0", "cuda:1")


def test_it_waits_for_a_trial_that_cannot_start_yet(place: Path) -> None:
    """The second may start when the first has ended; none is running when the third may not."""
    ends: list[str] = []

    def trials() -> Iterator[Trial | None]:
        yield fake("sleep 0.1", 0)
        while not ends:
            yield None
        yield fake("sleep", 1)
        while len(ends) < 2:
            yield None
        yield None
        yield fake("sleep", 2)

    pool(place, "cpu", "cpu").run(
        trials(), lambda *_: None, lambda trial, _: ends.append(trial.fingerprint)
    )
    assert ends == ["0", "1", "2"]


def test_the_next_trial_is_asked_for_after_the_end_of_the_last_is_passed_on(place: Path) -> None:
    events: list[str] = []

    def trials() -> Iterator[Trial]:
        for number in range(3):
            events.append(f"ask {number}")
            yield fake("sleep", number)

    pool(place).run(
        trials(), lambda *_: None, lambda trial, _: events.append(f"end {trial.fingerprint}")
    )
    assert events == ["ask 0", "end 0", "ask 1", "end 1", "ask 2", "end 2"]


def test_no_trials_are_no_work(place: Path) -> None:
    assert run(place, []) == {}
    assert not place.exists()


def test_a_bug_names_its_type_and_keeps_its_traceback(place: Path) -> None:
    ends = run(place, ["bug", "sleep"])
    text = TrialStore(place).unfinished(fake("bug")) / ERROR
    assert ends == {
        "0-bug": Fault(f"KeyError: 'x' (traceback: {text})", 1),
        "1-sleep": None,
    }
    assert 'raise KeyError("x")' in text.read_text()


def test_what_the_user_can_mend_is_one_line(place: Path) -> None:
    ends = run(place, ["mend", "sleep"])
    assert ends == {"0-mend": Fault("no note 'C9': give another", 2), "1-sleep": None}
    assert not (TrialStore(place).unfinished(fake("mend")) / ERROR).exists()


def test_a_killed_process_is_a_fault_of_its_own_trial(place: Path) -> None:
    ends = run(place, ["killed", "sleep"])
    assert ends["1-sleep"] is None
    fault = ends["0-killed"]
    assert isinstance(fault, DiedFault)
    assert fault.line.startswith("killed, probably for lack of memory")
    assert "--workers" in fault.line
    assert halves(place) == []


def test_a_process_that_just_ends_is_no_want_of_memory(place: Path) -> None:
    assert run(place, ["exit"]) == {"0-exit": DiedFault("its process died with exit code 3", 1)}


def test_a_full_disk_is_a_fault_of_the_machine_and_little_memory_may_pass(place: Path) -> None:
    ends = run(place, ["full", "memory"])
    assert type(ends["0-full"]) is MachineFault
    assert ends["1-memory"] == DiedFault("out of memory: 64 GiB", 2)


def test_an_error_of_a_callback_ends_the_others(place: Path) -> None:
    def end(trial: Trial, _: Fault | None) -> None:
        raise UserError(trial.model)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match="sleep 0"):
        pool(place, "cpu", "cpu").run([fake(LONG, 0), fake("sleep 0", 1)], lambda *_: None, end)
    assert not TrialStore(place).folder(fake(LONG, 0)).exists()
    assert halves(place) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_normal_end_prints_nothing_and_leaves_no_process(place: Path) -> None:
    with program(place, *["sleep 0.2"] * 3) as running:
        until_half_written(place, 1)
        family = psutil.Process(running.pid).children(recursive=True)
        printed = running.communicate(timeout=60)[1]
    assert (running.returncode, printed) == (0, "")
    assert len(list(place.glob("*/done"))) == 3
    assert psutil.wait_procs(family, timeout=30)[1] == []


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_interrupted_it_ends_long_trials_and_leaves_what_can_resume(place: Path, how: str) -> None:
    with program(place, *[LONG] * 6) as running:
        until_half_written(place, 2)
        family = psutil.Process(running.pid).children(recursive=True)
        if how == "Ctrl-C":
            os.killpg(running.pid, signal.SIGINT)
        else:
            running.terminate()
        printed = running.communicate(timeout=50)[1]  # before the trials would have ended
    assert (running.returncode, printed) == (130, "")
    assert len(family) >= 3
    assert psutil.wait_procs(family, timeout=30)[1] == []
    assert halves(place) == []
    left = {path.name for path in place.iterdir()} - {".locks"}
    assert left == {f"{LONG}-0.unfinished", f"{LONG}-1.unfinished"}


def test_killed_it_leaves_no_process_and_the_next_call_sweeps(place: Path) -> None:
    with program(place, LONG, LONG) as running:
        until_half_written(place, 2)
        family = psutil.Process(running.pid).children(recursive=True)
        running.kill()
        assert psutil.wait_procs(family, timeout=30)[1] == []
        assert running.communicate()[1] == ""
    assert len(halves(place)) == 2
    store = TrialStore(place)
    for number in range(2):
        store.sweep(fake(LONG, number))
    assert halves(place) == []
