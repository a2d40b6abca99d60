"""Doing the jobs of a table: what is done is kept, what is interrupted goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from rich.console import Console

from notedecay.core.digests import digest
from notedecay.core.errors import UserError
from notedecay.core.tables import read_json
from notedecay.experiments.execute import code, work
from notedecay.experiments.progress import Bars
from notedecay.experiments.runners import pool
from notedecay.experiments.runners.worker import Fault
from notedecay.experiments.trial import RESULT
from notedecay.studies.crossval.plan import Trial


def do(planned: Sequence[Trial], *, processes: int, device: str, console: Console) -> None:
    """Do the jobs that have no result yet; progress is drawn.

    Parameters
    ----------
    planned : sequence of Trial
        All that the table needs.
    processes : int
        Trainings at once.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    console : Console
        Where to draw.

    Raises
    ------
    UserError
        A job failed for a reason that the user can mend.
    SystemExit
        With a line to print, for a job that failed otherwise.
    """
    now, notes = code(), cache(digest)  # the jobs share their file of notes
    waiting = {t.folder: t for t in planned if not _is_done(t, now, notes)}
    names = {f: f"{t.competitor.label}, {t.condition}" for f, t in waiting.items()}
    bars = Bars("jobs", names, console)

    def end(folder: Path, fault: Fault | None) -> None:
        if fault is not None:
            line = f"{names[folder]}: {fault.line}"
            raise UserError(line) if fault.code == 2 else SystemExit(f"error: {line}")
        bars.end(folder)

    with bars.progress:
        pool.run(
            [(trial.job, folder) for folder, trial in waiting.items()],
            work,
            processes=processes,
            device=device,
            on_epoch=bars.epoch,
            on_end=end,
        )


def _is_done(trial: Trial, now: str, notes: Callable[[Path], str]) -> bool:
    """Whether there is a result, of these notes and this code: a table holds figures of one."""
    path = trial.folder / RESULT
    if not path.exists():
        return False
    made_of = read_json(path)
    return bool(made_of["code"] == now and made_of.get("clips") == notes(trial.job.clips))
