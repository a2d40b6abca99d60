"""``notedecay paper``: do what is not done yet, and track it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from notedecay.core.project import Project
from notedecay.experiments.execute import work
from notedecay.experiments.progress import Bars
from notedecay.experiments.runners import pool
from notedecay.experiments.runners.worker import Fault
from notedecay.experiments.trial import RESULT
from notedecay.studies.paper.plan import Planned
from notedecay.studies.paper.summary import describe
from notedecay.studies.paper.tracked import Log


def do(
    planned: Sequence[Planned],
    project: Project,
    *,
    processes: int,
    device: str,
    console: Console,
) -> dict[str, Fault]:
    """Do what has no result yet; log every result that the store does not have.

    Parameters
    ----------
    planned : sequence of Planned
        From :func:`notedecay.studies.paper.plan.plan`.
    project : Project
        Where runs are logged.
    processes : int
        How many jobs at once.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    console : Console
        Where the bars are drawn.

    Returns
    -------
    dict of str to Fault
        What failed, and why, by experiment and seed; the others are done all the same.
    """
    log = Log(project)
    failed: dict[str, Fault] = {}
    by_folder = {p.folder: p for p in planned}
    names = {p.folder: f"{p.experiment.name}, seed {p.job.seed}" for p in planned}
    bars = Bars("experiments", names, console)

    def end(folder: Path, fault: Fault | None) -> None:
        if fault is None:
            describe(by_folder[folder])
            log.result(by_folder[folder])
        else:
            failed[names[folder]] = fault
        bars.end(folder)

    with bars.progress:
        waiting = []
        for one in planned:
            if (one.folder / RESULT).exists():
                end(one.folder, None)
            else:
                waiting.append((one.job, one.folder))
        pool.run(waiting, work, processes=processes, device=device, on_epoch=bars.epoch, on_end=end)
    return failed
