"""Jobs that take no training, and a program that does them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from notedecay.core.errors import UserError
from notedecay.core.files import replacing_folder
from notedecay.experiments.runners import pool
from notedecay.experiments.runners.worker import Fault
from notedecay.experiments.trial import unfinished


def work(job: str, folder: Path, _device: str, tell: Callable[[int, int], None]) -> None:
    """Do as the job says, such as ``sleep 0.2``; leave who did it, with how many threads, when."""
    deed, _, how_long = job.partition(" ")
    began = time.time()
    tries = unfinished(folder) / "tries"
    tries.parent.mkdir(exist_ok=True)
    with tries.open("a") as file:
        file.write("x")
    tell(1, 2)
    if deed == "bug":
        raise KeyError("x")
    if deed == "mend":
        raise UserError("no note 'C9':\ngive another")
    if deed == "exit":
        os._exit(3)
    with replacing_folder(folder) as fresh:
        if deed == "killed" or (deed == "killed-once" and len(tries.read_text()) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(how_long or 0))
        row = [os.getpid(), os.environ["OMP_NUM_THREADS"], began, time.time()]
        (fresh / "done").write_text(" ".join(map(str, row)))
    tell(2, 2)


def do(place: Path, jobs: Sequence[str], processes: int = 2) -> dict[str, Fault | None]:
    """Do jobs, and give how each ended, by its folder's name."""
    ends: dict[str, Fault | None] = {}
    pool.run(
        [(job, place / f"{number}-{job.split()[0]}") for number, job in enumerate(jobs)],
        work,
        processes=processes,
        device="cpu",
        on_epoch=lambda *_: None,
        on_end=lambda folder, fault: ends.update({folder.name: fault}),
    )
    return ends


def main() -> None:
    """``fakes PLACE JOB...``; an interrupt is 130, as in the command line."""
    try:
        do(Path(sys.argv[1]), sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
