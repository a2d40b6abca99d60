"""Progress bars: one for all trials, one for each running trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def counting(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar; yields a callback that takes the number of finished items and that of all."""
    with Progress(*Progress.get_default_columns(), console=console) as bars:
        task = bars.add_task(escape(what))
        yield lambda done, of: bars.update(task, completed=done, total=of)


class TrialBars:
    """A bar for all trials, and one for each running trial; drawn within ``with``.

    Parameters
    ----------
    console : Console
        Where to draw.
    what : str
        What is counted.
    """

    def __init__(self, console: Console, what: str = "trials") -> None:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
        )
        self._all = self._bars.add_task(what, note="", visible=False)
        self._running: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def total(self, done: int, of: int) -> None:
        """Set the number of finished trials and that of all."""
        self._bars.update(self._all, completed=done, total=of, visible=of > 1)

    def summarise(self, note: str) -> None:
        """Set the note on all trials, such as the best score so far."""
        self._bars.update(self._all, note=note)

    def epoch(self, name: str, number: int, of: int, note: str | None) -> None:
        """Update the bar of a trial; a note stays until the next one."""
        if name not in self._running:
            self._running[name] = self._bars.add_task(name, note="")
        task = self._running[name]
        self._bars.update(task, completed=number, total=of)
        if note is not None:
            self._bars.update(task, note=note)

    def end(self, name: str) -> None:
        """Remove the bar of a trial, and count the trial."""
        if name in self._running:
            self._bars.remove_task(self._running.pop(name))
        self._bars.advance(self._all)

    def warn(self, line: str) -> None:
        """Print a warning above the bars, where it stays."""
        self._bars.console.print(f"warning: {line}", markup=False, soft_wrap=True)
