"""MLflow runs that always end with a status: finished, failed, or killed."""

from __future__ import annotations

import math
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
    MLFLOW_USER,
)
from PIL import Image

from notedecay.tracking import descriptions
from notedecay.tracking.store import connect, experiment, is_absent, is_local

STAGE = "notedecay.stage"
"""Tag of a run that a stage of the pipeline writes, or wrote last: its name."""

ALONE = ("train", "compare", "register")
"""Stages that one process at a time runs; a search may have many."""

FLUSH_SECONDS = 5.0
"""Interval between batches: a batch takes as long as one metric, and the UI may be this late."""


class Tracker:
    """The experiment of one instrument.

    Parameters
    ----------
    mlruns : Path
        Folder of the local store (unused where ``MLFLOW_TRACKING_URI`` is set).
    instrument : str
        Names the experiment.
    tags : mapping of str to str
        Set on every run: versions of the code and the data.
    about : str, optional
        Description of the experiment for the UI; by default that of an instrument.
    """

    def __init__(
        self, mlruns: Path, instrument: str, tags: Mapping[str, str], about: str | None = None
    ) -> None:
        self.client = connect(mlruns)
        self.instrument = instrument
        about = about or descriptions.of_instrument(instrument)
        self.experiment_id = experiment(self.client, mlruns, instrument, about)
        self.tags = {"notedecay.instrument": instrument, **_source(), **tags}

    @contextmanager
    def run(
        self,
        name: str,
        kind: str,
        *,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
    ) -> Iterator[ActiveRun]:
        """A new run, ended FINISHED, FAILED (an exception) or KILLED (an interrupt).

        Parameters
        ----------
        name, kind : str
            Shown in the UI; kind is a key of :data:`descriptions.RUNS`.
        params : mapping, optional
            Logged as parameters.
        tags : mapping, optional
            Added to the tracker's.
        parent : str, optional
            Id of the run that this one is shown under.
        """
        every = {
            **self.tags,
            **(tags or {}),
            MLFLOW_RUN_NOTE: descriptions.of_run(kind, (params or {}).get("model")),
            "notedecay.kind": kind,
            "notedecay.process": process(),
        }
        if parent:
            every[MLFLOW_PARENT_RUN_ID] = parent
        run = self.client.create_run(self.experiment_id, run_name=name, tags=every)
        with self._active(run.info.run_id, params or {}) as active:
            yield active

    @contextmanager
    def resume(self, run_id: str) -> Iterator[ActiveRun]:
        """Reopen an existing run."""
        self.client.update_run(run_id, status="RUNNING")
        self.client.set_tag(run_id, "notedecay.process", process())
        if STAGE in self.tags:
            self.client.set_tag(run_id, STAGE, self.tags[STAGE])
        with self._active(run_id, {}) as active:
            yield active

    @contextmanager
    def _active(self, run_id: str, params: Mapping[str, Any]) -> Iterator[ActiveRun]:
        active = ActiveRun(self.client, run_id)
        try:
            active.params(params)
            yield active
        except BaseException as error:
            killed = isinstance(error, KeyboardInterrupt)
            # The first error matters more than that of a store that cannot be written to.
            with suppress(MlflowException):
                self._end(active, RunStatus.KILLED if killed else RunStatus.FAILED)
            raise
        self._end(active, RunStatus.FINISHED)

    def _end(self, active: ActiveRun, status: int) -> None:
        try:
            active.flush()
        finally:
            self.client.set_terminated(active.id, RunStatus.to_string(status))

    def find(self, tag: str, value: str, kind: str) -> Run | None:
        """The newest run of a kind whose tag has the value."""
        found = self.client.search_runs(
            [self.experiment_id],
            f"tags.`{tag}` = '{value}' and tags.`notedecay.kind` = '{kind}'",
            max_results=1,
        )
        return found[0] if found else None

    def get(self, run_id: str) -> Run | None:
        """A run; None if the store does not have it or has deleted it."""
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if is_absent(error):
                return None
            raise
        return run if run.info.lifecycle_stage == "active" else None

    def has(self, run_id: str) -> bool:
        """Whether the store has the run and has not deleted it."""
        return self.get(run_id) is not None

    def end_orphans(self, is_orphan: Callable[[Mapping[str, str]], bool] | None = None) -> int:
        """End orphan runs: those whose process is gone; return how many.

        Parameters
        ----------
        is_orphan : callable, optional
            Tells by its tags whether a running run has no writer any more. By default a process
            of this machine is looked up. Nothing is known of one on another machine or in a
            container that was removed, with one exception: only one process at a time runs a
            stage of the pipeline for a local store, so all other runs of that stage are orphans.
        """
        running = self.client.search_runs(
            [self.experiment_id], "attributes.status = 'RUNNING'", max_results=1000
        )
        orphans = [r for r in running if (is_orphan or self._is_orphan)(r.data.tags)]
        for run in orphans:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(orphans)

    def _is_orphan(self, tags: Mapping[str, str]) -> bool:
        writer = tags.get("notedecay.process", "")
        alone = self.tags.get(STAGE) in ALONE and tags.get(STAGE) == self.tags[STAGE]
        return process_is_gone(writer) or (is_local() and alone and writer != process())


class ActiveRun:
    """A run being written; metrics are sent in batches."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client = client
        self.id = run_id
        self._waiting: list[Metric] = []
        self._sent = time.monotonic()

    def params(self, params: Mapping[str, Any]) -> None:
        """Log parameters."""
        entries = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(self.id, params=entries)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self.client.log_batch(self.id, tags=[RunTag(k, v) for k, v in tags.items()])

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics; those that are not finite are left out."""
        now = int(time.time() * 1000)
        self._waiting += [
            Metric(name, float(value), now, step)
            for name, value in values.items()
            if math.isfinite(value)
        ]
        if time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()

    def steps(self, metric: str) -> set[int]:
        """Steps at which the store has a metric of this run."""
        return {entry.step for entry in self.client.get_metric_history(self.id, metric)}

    def flush(self) -> None:
        """Send the metrics that are not sent yet."""
        for start in range(0, len(self._waiting), 1000):
            self.client.log_batch(self.id, metrics=self._waiting[start : start + 1000])
        self._waiting = []
        self._sent = time.monotonic()

    def images(self, folder: Path) -> None:
        """Log all PNGs in a folder as images; the UI shows those of many runs side by side."""
        for path in sorted(folder.rglob("*.png")):
            key = path.relative_to(folder).parent.as_posix()
            with Image.open(path) as image:
                self.client.log_image(self.id, image, key=key, step=0)

    def table(self, rows: Sequence[Mapping[str, Any]], artifact_path: str) -> None:
        """Log rows as a CSV file."""
        self.client.log_text(self.id, pd.DataFrame(rows).to_csv(index=False), artifact_path)

    def folder(self, folder: Path, artifact_path: str | None = None) -> None:
        """Log all files in a folder as artifacts."""
        self.client.log_artifacts(self.id, str(folder), artifact_path)


def _source() -> dict[str, str]:
    """Tags of a run: the command and the user."""
    return {
        MLFLOW_SOURCE_NAME: shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        MLFLOW_SOURCE_TYPE: "LOCAL",
        MLFLOW_USER: psutil.Process().username(),
    }


def process() -> str:
    """Name of this process, distinct from that of a later one with the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def process_is_gone(name: str) -> bool:
    """Whether a process of this machine, named by :func:`process`, has ended."""
    host, _, rest = name.partition(":")
    number, _, born = rest.partition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        return f"{psutil.Process(int(number)).create_time():.2f}" != born
    except psutil.NoSuchProcess:
        return True
