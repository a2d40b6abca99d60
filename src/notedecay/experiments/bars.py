"""Progress bars of long stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from notedecay.experiments.search.objective import Observer


@contextmanager
def counting(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """A bar to be told how many are done, of how many."""
    with Progress(*Progress.get_default_columns(), console=console) as bars:
        task = bars.add_task(escape(what))
        yield lambda done, of: bars.update(task, completed=done, total=of)


class Bars(Observer):
    """A bar for the trials and one for the epochs of the present trial.

    Parameters
    ----------
    console : Console
        Where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
        )
        self._trials = self._bars.add_task("trials", visible=False, note="")
        self._epochs = self._bars.add_task("epochs", visible=False, note="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            for task in self._bars.tasks:
                self._bars.update(task.id, completed=task.total)
        self._bars.stop()

    def trial(self, number: int, of: int, name: str) -> None:
        """Move to the next trial."""
        self._bars.update(
            self._trials, completed=number - 1, total=of, description=name, visible=of > 1
        )
        self._bars.reset(self._epochs)

    def epoch(self, number: int, of: int, metrics: Mapping[str, float]) -> None:
        """Move to the next epoch; the last look at the validation notes stays in sight."""
        self._bars.update(self._epochs, completed=number, total=of, visible=True)
        if "look.score" in metrics:
            note = f"validation {metrics['look.score']:.3f}"
            self._bars.update(self._epochs, note=note)

    def warn(self, line: str) -> None:
        """Print a warning above the bars, where it stays."""
        self._bars.console.print(f"warning: {line}", markup=False, soft_wrap=True)
