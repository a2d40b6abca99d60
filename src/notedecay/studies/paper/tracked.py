"""The paper's results as runs to compare in the MLflow UI."""

from __future__ import annotations

from typing import Any

from notedecay.core.project import Project
from notedecay.core.tables import read_json
from notedecay.experiments.trial import DIAGNOSIS, LISTEN, LOOKS, RESULT
from notedecay.studies.paper.plan import Planned
from notedecay.tracking.descriptions import SCORES
from notedecay.tracking.diagnosis import log_diagnosis
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.diagnostics.snapshots import read_snapshots as read

EXPERIMENT = "paper"
ABOUT = (
    "The experiments of Sander & Harder, run again with their faults or without them; the tables "
    f"stand in docs/paper.md.\n\n{SCORES}"
)
TAG = "notedecay.paper.job"


class Log:
    """Logs each result once.

    Parameters
    ----------
    project : Project
        Whose store.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tracker = Tracker(project.mlruns, EXPERIMENT, {}, ABOUT)
        self._tracker.reap()

    def result(self, one: Planned) -> None:
        """Log a finished job, unless a finished run of it is there."""
        key = f"{one.scale.name}-{one.job.key}"
        known = self._tracker.find(TAG, key, EXPERIMENT)
        if known is not None and known.info.status == "FINISHED":
            return
        result = read_json(one.folder / RESULT)
        job = one.job
        with self._tracker.run(
            f"{one.experiment.name}, seed {job.seed}, {one.scale.name}",
            EXPERIMENT,
            params={"continuator": job.continuator, "seed": job.seed, **job.settings},
            tags={
                TAG: key,
                "notedecay.paper.experiment": one.experiment.name,
                "notedecay.paper.scale": one.scale.name,
                "notedecay.data": f"{job.signal.instrument}: {one.sources}",
                "notedecay.device": result["device"],
                **provenance(self._project, job.seed, job.clips),
            },
        ) as run:
            _log(run, result)
            run.folder(one.folder / LISTEN, LISTEN)
            run.images(one.folder / LISTEN)
            if looks := read(one.folder / DIAGNOSIS / LOOKS):
                log_diagnosis(run, looks)


def _log(run: ActiveRun, result: dict[str, Any]) -> None:
    for epoch, loss in enumerate(result.get("losses", []), 1):
        run.metrics({"train_loss": loss}, epoch)
    for split, figures in result["figures"].items():
        run.metrics({f"{split}.{m}": v for m, v in figures.items() if v is not None})
    for split, error in (result.get("teacher_forced") or {}).items():
        run.metrics({f"{split}.teacher_forced_error": error})
