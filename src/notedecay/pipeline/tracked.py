"""How a stage that tracks its work begins."""

from __future__ import annotations

from pathlib import Path

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import STAGE, Tracker


def tracker_of(
    stage: str, project: Project, params: Params, instrument: str, clips: Path
) -> Tracker:
    """The tracker of a stage, once the runs that dead processes have left RUNNING are ended.

    Parameters
    ----------
    stage : str
        Its name; the caller holds its lock.
    project : Project
        Where the store lies.
    params : Params
        Validated.
    instrument : str
        Which one.
    clips : Path
        The file of clips that runs are about.
    """
    tags = {STAGE: stage, **provenance(project, params.seed, clips)}
    tracker = Tracker(project.mlruns, instrument, tags)
    tracker.end_orphans()
    return tracker
