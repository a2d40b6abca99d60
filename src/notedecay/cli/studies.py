"""Commands that compare models at length: evaluate, ablate, pool, paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notedecay.cli.options import Device, GpuShare, Instruments, Ray, Workers, use_one_thread
from notedecay.cli.output import progress, result, resumable


def evaluate(
    instrument: Instruments = None,
    again: Annotated[
        str | None, typer.Option(help="Why test notes must be used again for other systems.")
    ] = None,
    workers: Workers = None,
    device: Device = "auto",
    gpus_per_trial: GpuShare = 1.0,
    ray: Ray = None,
) -> None:
    """Make the final table: cross-validated by pitch, so that every note is unseen once.

    Run it once, in the end. The search makes its choices on validation notes. A second evaluation
    with other systems needs a reason, which is kept beside the table.
    """
    use_one_thread()
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.experiments.runners.placement import Placement
    from notedecay.studies.crossval.command import Choice, run_evaluation

    project = find_project()
    choice = Choice(tuple(instrument or ()), again, Placement(device, workers, gpus_per_trial, ray))
    with resumable():
        for line in run_evaluation(project, load_params(project.params), choice, progress()):
            result(line)


def ablate(
    instrument: Instruments = None,
    component: Annotated[
        list[str] | None, typer.Option(help="Only this component; may be given several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often all is trained anew.")] = 3,
    workers: Workers = None,
    device: Device = "auto",
    gpus_per_trial: GpuShare = 1.0,
    ray: Ray = None,
) -> None:
    """Measure what each component of the best model contributes, without the test notes."""
    use_one_thread()
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.experiments.runners.placement import Placement
    from notedecay.studies.ablation.command import Choice, run_ablation

    project = find_project()
    placement = Placement(device, workers, gpus_per_trial, ray)
    choice = Choice(tuple(instrument or ()), tuple(component or ()), seeds, placement)
    with resumable():
        for line in run_ablation(project, load_params(project.params), choice, progress()):
            result(line)


def pool(
    instrument: Annotated[
        list[str], typer.Argument(help="Two or more; the first one's best settings are used.")
    ],
    workers: Workers = None,
    device: Device = "auto",
    gpus_per_trial: GpuShare = 1.0,
    ray: Ray = None,
) -> None:
    """Compare one model for several instruments with one for each, without the test notes."""
    use_one_thread()
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.experiments.runners.placement import Placement
    from notedecay.studies.pooling.command import run_pooling

    project = find_project()
    params = load_params(project.params)
    placement = Placement(device, workers, gpus_per_trial, ray)
    with resumable():
        for line in run_pooling(project, params, instrument, progress(), placement):
            result(line)


def paper(
    quick: Annotated[
        bool, typer.Option("--quick", help="The main experiments, small: under 20 minutes.")
    ] = False,
    reduced: Annotated[
        bool, typer.Option("--reduced", help="All experiments at a quarter of the units: hours.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment; may be given several times.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Another data folder, with the paper's recordings.")
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="The authors' own audio, to be measured beside ours.")
    ] = None,
    workers: Workers = None,
    device: Device = "auto",
    gpus_per_trial: GpuShare = 1.0,
    ray: Ray = None,
) -> None:
    """Repeat the paper's experiments; write docs/paper.md and a page to listen to.

    What is finished is not done again. Without --quick or --reduced everything is run at the
    paper's own size, which takes a day on a GPU.
    """
    use_one_thread()
    from notedecay.core.errors import UserError
    from notedecay.core.project import find_project
    from notedecay.experiments.runners.placement import Placement
    from notedecay.experiments.scale import FULL, QUICK, REDUCED
    from notedecay.studies.paper.command import Choice, run_paper

    if quick and reduced:
        raise UserError("choose --quick or --reduced, not both")
    project = find_project()
    choice = Choice(
        scale=QUICK if quick else REDUCED if reduced else FULL,
        only=tuple(only or ()),
        data=data or project.data,
        published=published,
        placement=Placement(device, workers, gpus_per_trial, ray),
    )
    with resumable():
        for line in run_paper(project, choice, progress()):
            result(line)
