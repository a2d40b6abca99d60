"""What the commands make of a job that failed: a line, and an exit code that says whose fault."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.experiments.runners.worker import Fault
from notedecay.studies.crossval.doing import do
from notedecay.studies.crossval.plan import Trial
from notedecay.studies.paper import command as paper
from notedecay.studies.paper.plan import QUICK

BUG, MENDED = Fault("KeyError: 'x' (traceback: there)", 1), Fault("try fewer", 2)


def evaluate(fault: Fault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(jobs: Sequence[tuple[object, Path]], *_: object, **told: Any) -> None:
        told["on_end"](jobs[0][1], fault)

    monkeypatch.setattr("notedecay.experiments.runners.pool.run", run)
    trial = SimpleNamespace(
        folder=folder, job=None, condition="unseen", competitor=SimpleNamespace(label="gru")
    )
    console = Console(file=io.StringIO())
    do([cast(Trial, trial)], processes=1, device="cpu", console=console)


def test_evaluate_ends_with_1_for_a_bug_and_with_2_for_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="error: gru, unseen: KeyError: 'x'"):
        evaluate(BUG, tmp_path / "job", monkeypatch)
    with pytest.raises(UserError, match="gru, unseen: try fewer"):
        evaluate(MENDED, tmp_path / "job", monkeypatch)


@pytest.mark.parametrize(("failed", "code"), [([BUG, MENDED], 1), ([MENDED], 2), ([], None)])
def test_paper_writes_its_pages_and_then_says_that_a_job_failed(
    failed: list[Fault], code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {f"flute-512, seed {seed}": fault for seed, fault in enumerate(failed)}
    monkeypatch.setattr(paper, "plan", lambda *_: ([], {"cello-512": "no recordings"}))
    monkeypatch.setattr(paper, "do", lambda *_, **__: named)
    monkeypatch.setattr(paper, "_pages", lambda *_: ["the pages"])
    choice = paper.Choice(QUICK, (), tmp_path, None, 1, "cpu")
    said = paper.run_paper(Project(tmp_path), choice, Console(file=io.StringIO()))
    lines: list[str] = []
    ended: SystemExit | None = None
    try:
        lines.extend(said)
    except SystemExit as error:
        ended = error
    assert (ended.code if ended else None) == code
    assert lines == [
        "cello-512: no recordings",
        *(f"{name}: failed: {fault.line}" for name, fault in named.items()),
        "the pages",
    ]
