"""The stages of ``dvc.yaml``: each reads parameters, calls one function, writes its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.pipeline.guard import ended_with_dvc, locked

Stage = Callable[[Project, Params, str, Console], str]


def _configure(project: Project, params: Params, instrument: str, _: Console) -> str:
    from notedecay.pipeline.configure import configure

    return configure(project, params, instrument)


def _prepare(project: Project, params: Params, instrument: str, console: Console) -> str:
    from notedecay.experiments.progress import counting
    from notedecay.pipeline.prepare import prepare

    with counting("recordings", console) as progress:
        return prepare(project, params, instrument, progress)


def _search(project: Project, params: Params, instrument: str, console: Console) -> str:
    from notedecay.experiments.progress import TrialBars
    from notedecay.pipeline.search import placement_of, run_search

    with TrialBars(console) as bars:
        return run_search(project, params, instrument, placement_of(params, instrument), bars)


def _train(project: Project, params: Params, instrument: str, console: Console) -> str:
    from notedecay.experiments.progress import TrialBars
    from notedecay.pipeline.train import run_train

    with TrialBars(console) as bars:
        return run_train(project, params, instrument, bars)


def _compare(project: Project, params: Params, instrument: str, console: Console) -> str:
    from notedecay.pipeline.compare import compare

    with console.status("comparing") as status:

        def on_candidate(name: str) -> None:
            status.update(f"comparing {name}")

        return compare(project, params, instrument, on_candidate)


def _register(project: Project, params: Params, instrument: str, _: Console) -> str:
    from notedecay.pipeline.register import register

    return register(project, params, instrument)


@contextmanager
def guarded(project: Project, stage: str, instrument: str, console: Console) -> Iterator[None]:
    """Hold the lock of a stage; end with the ``dvc`` that started this process."""

    def notify(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    with ended_with_dvc(), locked(project.mlruns, stage, instrument, notify):
        yield


def _guarded(name: str, stage: Stage) -> Stage:
    """The stage under its lock, ended with the ``dvc`` that started it."""

    def alone(project: Project, params: Params, instrument: str, console: Console) -> str:
        with guarded(project, name, instrument, console):
            return stage(project, params, instrument, console)

    return alone


_STAGES: dict[str, Stage] = {
    "configure": _configure,
    "prepare": _prepare,
    "search": _search,
    "train": _train,
    "compare": _compare,
    "register": _register,
}
STAGES = {name: _guarded(name, stage) for name, stage in _STAGES.items()}
"""The stages in their order; each imports only what it needs."""
