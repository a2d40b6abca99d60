"""A bar for all jobs, and one for each that runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Bars:
    """Progress of jobs that run side by side; drawn within ``with bars.progress``.

    Parameters
    ----------
    what : str
        What is counted.
    names : mapping of Path to str
        By the folder of each job, what to call it.
    console : Console
        Where to draw.
    """

    def __init__(self, what: str, names: Mapping[Path, str], console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._names = names
        self._all = self.progress.add_task(what, total=len(names))
        self._running: dict[Path, TaskID] = {}

    def epoch(self, folder: Path, number: int, of: int) -> None:
        """Move a job's bar, which appears with its first epoch."""
        if folder not in self._running:
            self._running[folder] = self.progress.add_task(self._names[folder])
        self.progress.update(self._running[folder], completed=number, total=of)

    def end(self, folder: Path) -> None:
        """Take a job's bar away, and count it."""
        if folder in self._running:
            self.progress.remove_task(self._running.pop(folder))
        self.progress.advance(self._all)
