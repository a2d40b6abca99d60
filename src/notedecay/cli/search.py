"""Commands on the search: run it, add workers to it from anywhere, and see how far it is."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from notedecay.cli.options import Device, GpuShare, Instruments, Ray, Workers, use_one_thread
from notedecay.cli.output import progress, result, resumable, say


class RunByDefault(TyperGroup):
    """``notedecay search piano`` is ``notedecay search run piano``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before what is neither a command nor the option for help."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    rich_markup_mode=None,
    help="Search models and time resolutions: run, worker, status. 'run' is the default.",
)


@app.command()
def run(
    instrument: Instruments = None,
    workers: Workers = None,
    device: Device | None = None,
    gpus_per_trial: GpuShare | None = None,
    ray: Ray = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Go on in the background, also without a terminal.")
    ] = False,
) -> None:
    """Search until the study has its trials; the stage 'search' of dvc.yaml does the same.

    Options that are not given are those of params.yaml.
    """
    use_one_thread()
    from notedecay.core.project import find_project
    from notedecay.pipeline import guarded
    from notedecay.pipeline.checking import load_checked

    project = find_project()
    params = load_checked(project.params)
    names = instrument or list(params.instruments)
    for name in names:
        params.instrument(name)
    if detach:
        _detach()
        return
    from notedecay.experiments.progress import TrialBars
    from notedecay.pipeline.search import placement_of, run_search

    for name in names:
        placement = placement_of(params, name, workers, device, gpus_per_trial, ray)
        placement.check()
        with (
            resumable(),
            guarded(project, "search", name, progress()),
            TrialBars(progress()) as bars,
        ):
            line = run_search(project, params, name, placement, bars)
        say(f"{name}: {line}")


@app.command()
def worker(
    study: Annotated[
        str, typer.Argument(help="An instrument of params.yaml, or the name of its study.")
    ],
    workers: Workers = None,
    device: Device | None = None,
    gpus_per_trial: GpuShare | None = None,
    ray: Ray = None,
) -> None:
    """Help with a search: run trials until the study has enough; start it as often as you like.

    On any machine that shares the project's folder and the storage of studies: by hand, from a
    Slurm array, or beside a running search.
    """
    use_one_thread()
    from notedecay.core.project import find_project
    from notedecay.experiments.progress import TrialBars
    from notedecay.pipeline.checking import load_checked
    from notedecay.pipeline.guard import ended_with_dvc
    from notedecay.pipeline.search import instrument_of, placement_of, run_worker

    project = find_project()
    params = load_checked(project.params)
    name = instrument_of(project, params, study)
    placement = placement_of(params, name, workers, device, gpus_per_trial, ray)
    placement.check()
    with resumable(), ended_with_dvc(), TrialBars(progress()) as bars:
        line = run_worker(project, params, name, placement, bars)
    say(line)


@app.command()
def status(instrument: Instruments = None) -> None:
    """Show how far each search is: its trials, the best so far, and who runs what."""
    from notedecay.core.project import find_project
    from notedecay.pipeline.checking import load_checked
    from notedecay.pipeline.search_status import status_of

    project = find_project()
    params = load_checked(project.params)
    for name in instrument or list(params.instruments):
        for line in status_of(project, params, name):
            result(line)


def _detach() -> None:
    """Start the same command in a session of its own, whose output goes to a file."""
    import subprocess

    from notedecay.core.project import find_project

    log = find_project().mlruns / "search.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    again = [word for word in sys.argv[1:] if word != "--detach"]
    program = "from notedecay.cli import main; main()"
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-c", program, *again],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    say(
        f"process {started.pid} searches on in the background; its output goes to {log}; see how "
        "far it is with 'notedecay search status'"
    )
