"""Trials that take no training, and a program that runs them."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from notedecay.core.errors import UserError
from notedecay.core.files import replacing_folder
from notedecay.experiments.runners.base import DiedFault, Fault
from notedecay.experiments.runners.cluster import RayRunner
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.runners.pool import PoolRunner
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial


@dataclass(frozen=True)
class FakeTrial:
    """As much of a trial as runners use; its model says what it does, such as ``sleep 0.2``."""

    model: str
    fingerprint: str


def fake(job: str, number: int = 0) -> Trial:
    return cast(Trial, FakeTrial(job, str(number)))


def execute(
    trial: Trial,
    store: TrialStore,
    device: str,
    report: Callable[[int, int, Mapping[str, float]], None],
) -> None:
    """Do as the trial says; leave who did it, with how many threads, and on which device."""
    deed, _, how_long = trial.model.partition(" ")
    tries = store.unfinished(trial) / "tries"
    tries.parent.mkdir(parents=True, exist_ok=True)
    with tries.open("a") as file:
        file.write("x")
    report(1, 2, {"train_loss": 0.5})
    if deed == "bug":
        raise KeyError("x")
    if deed == "mend":
        raise UserError("no note 'C9':\ngive another")
    if deed == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if deed == "memory":
        raise MemoryError("64 GiB")
    if deed == "exit":
        os._exit(3)
    with replacing_folder(store.folder(trial)) as fresh:
        if deed == "killed" or (deed == "killed-once" and len(tries.read_text()) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if deed == "meet":
            meet(store.folder(trial).parent, how_long)
        elif deed == "wait-for":
            (store.folder(trial).parent / f"here-{os.getpid()}").touch()
            while not (store.folder(trial).parent / how_long).exists():
                time.sleep(0.05)
        else:
            time.sleep(float(how_long or 0))
        (fresh / "result.json").write_text("{}")
        (fresh / "done").write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']} {device}")
    report(2, 2, {"train_loss": 0.4})


def meet(place: Path, of: str) -> None:
    """Wait until so many trials are here at once."""
    own = place / f"here-{os.getpid()}"
    own.touch()
    while len(list(place.glob("here-*"))) < int(of):
        time.sleep(0.01)


def name(trial: Trial) -> str:
    return f"{trial.fingerprint}-{trial.model.split()[0]}"


def run(place: Path, jobs: Sequence[str], workers: int = 2) -> dict[str, Fault | None]:
    """Run trials, and give how each ended, by its name."""
    ends: dict[str, Fault | None] = {}
    PoolRunner(TrialStore(place), ["cpu"] * workers, execute).run(
        [fake(job, number) for number, job in enumerate(jobs)],
        lambda *_: None,
        lambda trial, fault: ends.update({name(trial): fault}),
    )
    return ends


def run_on_ray(place: Path, address: str, jobs: Sequence[str]) -> None:
    """Run trials on a cluster; print their epochs and ends as JSON."""
    epochs: dict[str, list[int]] = {}
    ends: dict[str, str | None] = {}

    def end(trial: Trial, fault: Fault | None) -> None:
        died = "died: " if isinstance(fault, DiedFault) else ""
        ends[name(trial)] = f"{died}{fault.line}" if fault else None

    RayRunner(TrialStore(place), Placement(ray=address), execute).run(
        [fake(job, number) for number, job in enumerate(jobs)],
        lambda trial, epoch, *_: epochs.setdefault(trial.fingerprint, []).append(epoch),
        end,
    )
    print(json.dumps({"epochs": epochs, "ends": ends}))


def main() -> None:
    """``fakes PLACE [--ray ADDRESS] JOB...``; an interrupt is 130, as in the command line."""
    place, *jobs = sys.argv[1:]
    try:
        if jobs[0] == "--ray":
            run_on_ray(Path(place), jobs[1], jobs[2:])
        else:
            run(Path(place), jobs)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
