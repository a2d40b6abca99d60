"""The tracker of a stage, with orphan runs ended."""

from __future__ import annotations

from pathlib import Path

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import STAGE, Tracker


def tracker_of(
    stage: str, project: Project, params: Params, instrument: str, clips: Path
) -> Tracker:
    """Tracker of a stage; runs that killed processes have left RUNNING are ended.

    Parameters
    ----------
    stage : str
        Its name; the caller holds the lock of the stage.
    project : Project
        Holds the store.
    params : Params
        Validated.
    instrument : str
        Its name.
    clips : Path
        The file of clips, whose hash is a tag of every run.
    """
    tags = {STAGE: stage, **provenance(project, params.seed, clips)}
    tracker = Tracker(project.mlruns, instrument, tags)
    tracker.end_orphans()
    return tracker
