"""Options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated

import typer

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Trainings at once; by default one per core or share of a GPU."
    ),
]
GpuShare = Annotated[
    float,
    typer.Option("--gpus-per-trial", help="Share of a GPU for a training, such as 0.25.",
                 min=0.01, max=1.0),
]  # fmt: skip
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", envvar="NOTEDECAY_RAY", metavar="HOST:PORT",
        help="Run trainings on this Ray cluster.",
    ),
]  # fmt: skip
Instruments = Annotated[
    list[str] | None, typer.Argument(help="As in params.yaml; all of them by default.")
]
Port = Annotated[int, typer.Option(min=1, max=65535)]
Device = Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:1.")]


def use_one_thread() -> None:
    """Let a training or a note's continuation use one thread, unless OMP_NUM_THREADS is set.

    The nets are small: a second thread gains little on an idle machine. On a busy one the two
    wait for each other, and an epoch takes ten times as long. Call before torch is imported.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
