"""Options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated

import typer

CORES = os.cpu_count() or 1
Processes = Annotated[int, typer.Option(min=1, help="Trainings at once; one per core by default.")]
Instruments = Annotated[
    list[str] | None, typer.Argument(help="As in params.yaml; all of them by default.")
]
Port = Annotated[int, typer.Option(min=1, max=65535)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def use_one_thread() -> None:
    """Let a training or a note's continuation use one thread, unless OMP_NUM_THREADS is set.

    The nets are small: a second thread gains little on an idle machine. On a busy one the two
    wait for each other, and an epoch takes ten times as long. Call before torch is imported.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
