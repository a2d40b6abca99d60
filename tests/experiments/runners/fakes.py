"""Trials that take no training, and a program that runs them."""

from __future__ import annotations

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
from notedecay.experiments.runners.base import Fault
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
    _device: str,
    report: Callable[[int, int, Mapping[str, float]], bool],
) -> None:
    """Do as the trial says; leave who did it, with how many threads, and whether it was ended."""
    deed, _, how_long = trial.model.partition(" ")
    tries = store.unfinished(trial) / "tries"
    tries.parent.mkdir(parents=True, exist_ok=True)
    with tries.open("a") as file:
        file.write("x")
    ended = report(1, 2, {"train_loss": 0.5})
    if deed == "bug":
        raise KeyError("x")
    if deed == "mend":
        raise UserError("no note 'C9':\ngive another")
    if deed == "exit":
        os._exit(3)
    with replacing_folder(store.folder(trial)) as fresh:
        if deed == "killed" or (deed == "killed-once" and len(tries.read_text()) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        meet(store.folder(trial).parent, how_long) if deed == "meet" else time.sleep(
            float(how_long or 0)
        )
        (fresh / "done").write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']} {int(ended)}")
    if not ended:
        report(2, 2, {"train_loss": 0.4})


def meet(place: Path, of: str) -> None:
    """Wait until so many trials are here at once."""
    own = place / f"here-{os.getpid()}"
    own.touch()
    while len(list(place.glob("here-*"))) < int(of):
        time.sleep(0.01)


def name(trial: Trial) -> str:
    return f"{trial.fingerprint}-{trial.model.split()[0]}"


def run(place: Path, jobs: Sequence[str], processes: int = 2) -> dict[str, Fault | None]:
    """Run trials, and give how each ended, by its name."""
    ends: dict[str, Fault | None] = {}
    PoolRunner(TrialStore(place), "cpu", processes, execute).run(
        [fake(job, number) for number, job in enumerate(jobs)],
        lambda *_: False,
        lambda trial, fault: ends.update({name(trial): fault}),
    )
    return ends


def main() -> None:
    """``fakes PLACE JOB...``; an interrupt is 130, as in the command line."""
    try:
        run(Path(sys.argv[1]), sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
