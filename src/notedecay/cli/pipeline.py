"""Commands on the pipeline: report, stage."""

from __future__ import annotations

from typing import Annotated

import typer

from notedecay.cli.options import use_one_thread
from notedecay.cli.output import progress, resumable, say, tables


def report() -> None:
    """Show which model is champion, and how all models do on seen and unseen notes."""
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.reports.terminal import show

    project = find_project()
    show(project, load_params(project.params), tables())


def stage(
    name: Annotated[
        str, typer.Argument(help="configure, prepare, search, train, compare or register.")
    ],
    instrument: Annotated[str, typer.Argument(help="As in params.yaml.")],
) -> None:
    """Run one stage of the pipeline; dvc.yaml calls this."""
    use_one_thread()
    from notedecay.core.errors import UserError, nearest
    from notedecay.core.project import find_project
    from notedecay.registry.up_to_date import is_up_to_date

    if name == "register" and is_up_to_date(find_project(), instrument):
        say(f"{instrument}: the registry is up to date; DVC cannot see it, so this always runs")
        return
    from notedecay.pipeline import STAGES
    from notedecay.pipeline.checking import check_devices, load_checked

    if name not in STAGES:
        raise UserError(f"unknown stage '{name}'{nearest(name, STAGES)}")
    project = find_project()
    params = load_checked(project.params)
    params.instrument(instrument)  # before a bar is drawn
    check_devices(project.params, params, instrument, name)
    with resumable():
        say(f"{instrument}: {STAGES[name](project, params, instrument, progress())}")
