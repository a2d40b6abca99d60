"""How far a search is, in lines: from the study, its claims, and the folders of running trials."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.experiments.search.search import summary
from notedecay.experiments.search.slots import Slots
from notedecay.experiments.search.storage import study_summaries
from notedecay.pipeline.search import shared_study, study_of
from notedecay.training.selection import HISTORY


def status_of(project: Project, params: Params, instrument: str) -> Iterator[str]:
    """Lines on an instrument's present study: trials, best, time left, running and failed trials.

    Parameters
    ----------
    project : Project
        Prepared.
    params : Params
        Validated.
    instrument : str
        Its name.

    Yields
    ------
    str
        A line.
    """
    study = study_of(project, params, instrument)
    if study.name not in study_summaries(project.mlruns):
        yield f"{instrument}: not begun ({study.name}); 'notedecay search {instrument}' starts it"
        return
    with shared_study(project, study) as shared:
        slots = Slots(shared, study.plan, study.config.trials, study.config.patience)
        over, length = slots.over()
        needed = length.slots
        running = [s for s in range(needed) if s not in over and not shared.is_free(s)]
        yield _head(instrument, study.name, over, needed, len(running))
        for slot in running:
            yield f"  {_running(slot, shared.attribute(f'begun.{slot}') or {}, project.trials)}"
    for slot, trial in over.items():
        if "reason" in trial.user_attrs:
            yield f"  trial {slot} {trial.user_attrs['model']} failed: {trial.user_attrs['reason']}"


def _head(
    instrument: str, name: str, over: Mapping[int, FrozenTrial], needed: int, running: int
) -> str:
    parts = [f"{instrument}: {len(over)} of {needed} trials over ({name})"]
    if over:
        parts.append(summary(over))
    seconds = [t.user_attrs["seconds"] for t in over.values() if "seconds" in t.user_attrs]
    if running and seconds:
        left = (needed - len(over)) * sum(seconds) / len(seconds) / running
        parts.append(f"about {max(1, round(left / 60))} min left")
    elif not running and len(over) < needed:
        parts.append("nobody works on it")
    return "; ".join(parts)


def _running(slot: int, begun: Mapping[str, Any], trials: Path) -> str:
    """Trial, epoch and process of a slot that is worked on."""
    if not begun:
        return f"trial {slot} begins"
    epoch: Any = "?"  # the folder of another machine
    with suppress(OSError, ValueError, LookupError):
        log = json.loads((trials / begun["folder"] / HISTORY).read_text())
        epoch = log["history"][-1]["epoch"]
    return (
        f"trial {slot} {begun['model']}: epoch {epoch} of {begun['epochs']}, "
        f"by {begun['process']} since {begun['since']}"
    )
