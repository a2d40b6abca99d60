"""A toy project that several processes search at once, and what they leave."""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import optuna
import psutil
import sqlalchemy as sa
from mlflow.entities import ViewType
from rich.console import Console

from notedecay.core.config import load_params
from notedecay.core.project import Project
from notedecay.experiments.search.storage import STORAGE, storage_url
from notedecay.pipeline import STAGES
from notedecay.tracking.store import connect
from tests import toy

TRIALS = 6
PATIENCE_SECONDS = 300


def make(root: Path, **changed: Any) -> Path:
    """A project whose notes are ready, with short trials of two models."""
    toy.make_project(root, range(57, 65))
    bells = copy.deepcopy(toy.INSTRUMENT)
    bells["search"] |= {
        "trials": TRIALS, "window": 3, "epochs": 30, "check_every": 10, "warmup_checks": 1,
        "spaces": {
            "lstm": {"units": [16, 24], "resolution": [40, 60], "batch": 4, "transpose": 0},
            "gru": {"units": [16, 24], "resolution": [40, 60], "batch": 4, "transpose": 0},
        },
    } | changed  # fmt: skip
    bells["evaluate"]["seen_notes"] = 1
    toy.write_params(root, {"seed": 5, "instruments": {"bells": bells}})
    params = load_params(root / "params.yaml")
    for stage in ("configure", "prepare"):
        STAGES[stage](Project(root), params, "bells", Console(quiet=True))
    return root


@dataclass
class Tally:
    """What a search has left."""

    states: dict[int, str]
    points: dict[int, tuple[Any, ...]]
    runs: Counter[str]
    left: list[str]

    @property
    def finished(self) -> int:
        return len(self.states)


@dataclass
class Searched:
    """A copy of a project, and the processes that search it."""

    root: Path
    storage: str | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def copied(cls, prepared: Path, root: Path, storage: str | None = None) -> Searched:
        shutil.copytree(prepared, root, symlinks=True)
        return cls(root, storage)

    @property
    def environment(self) -> dict[str, str]:
        given = {k: v for k, v in toy.environment().items() if k != STORAGE}
        return given | ({STORAGE: self.storage} if self.storage else {})

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start ``notedecay search ...`` in a session of its own."""
        log = self.root.parent / f"{self.root.name}-{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["notedecay", "search", *words], cwd=self.root, env=self.environment,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        return [self.start("worker", "bells", "--workers", "1") for _ in range(count)]

    def wait(self) -> None:
        """Wait until all that were not killed have ended well."""
        for process in self.processes:
            code = process.wait(timeout=PATIENCE_SECONDS)
            assert code in (0, -signal.SIGKILL), self.texts()

    def texts(self) -> str:
        logs = sorted(self.root.parent.glob(f"{self.root.name}-*.log"))
        return "\n".join(f"{path.name}: {path.read_text()}" for path in logs)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for what must come while the processes work."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < end, f"it did not come\n{self.texts()}"
            time.sleep(0.1)

    def under_way(self) -> bool:
        """Whether a trial is over and another one has finished an epoch."""
        return self.count_over() > 0 and bool(self.unfinished())

    def count_over(self) -> int:
        """Number of trials that are over; 0 while the tables are not made."""
        url = self.url()
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            return 0
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with suppress(sa.exc.DBAPIError), engine.connect() as connection:
            return int(connection.execute(sa.text("select count(*) from trials")).scalar() or 0)
        return 0

    def url(self) -> sa.URL:
        with mock.patch.dict(os.environ, self.environment, clear=True):
            return storage_url(self.root / "mlruns")

    def unfinished(self) -> list[Path]:
        return list((self.root / "mlruns/trials").glob("*.unfinished/history.json"))

    def over(self) -> dict[int, optuna.trial.FrozenTrial]:
        """Trials that are over, by slot, read apart from the product's own code."""
        storage = optuna.storages.RDBStorage(self.url().render_as_string(hide_password=False))
        try:
            (name,) = optuna.get_all_study_names(storage)
            trials = optuna.load_study(study_name=name, storage=storage).trials
        finally:
            storage.remove_session()
            storage.engine.dispose()
        assert len({t.user_attrs["slot"] for t in trials}) == len(trials), "a slot twice"
        return {trial.user_attrs["slot"]: trial for trial in trials}

    def tally(self) -> Tally:
        over = self.over()
        client = connect(self.root / "mlruns")
        experiment = client.get_experiment_by_name("notedecay-bells")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        trials = self.root / "mlruns/trials"
        locks = self.root / "mlruns/.locks"
        left = [path.name for path in trials.iterdir() if path.name != ".locks"]
        left += [path.name for path in locks.glob("bells-*.*.lock")]
        return Tally(
            {slot: trial.state.name for slot, trial in sorted(over.items())},
            {s: (t.params, t.value, t.user_attrs.get("scores")) for s, t in sorted(over.items())},
            Counter(run.info.status for run in runs),
            left,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process alone; those below it end by themselves."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert psutil.wait_procs(family, timeout=60)[1] == []


def kill_all(searched: Searched) -> None:
    """SIGKILL to all processes at once, and all below them."""
    alive = [process for process in searched.processes if process.poll() is None]
    family = [one for p in alive for one in psutil.Process(p.pid).children(recursive=True)]
    for one in [*alive, *family]:
        with suppress(psutil.Error, ProcessLookupError):
            one.kill()
    for process in alive:
        process.wait()


def stop(searched: Searched) -> None:
    """Stop all processes and all below them where they are; SIGCONT lets them go on."""
    for process in searched.processes:
        for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]:
            one.suspend()


def trial_process(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """The process of a running trial below a worker: that below the fork server."""
    for server in psutil.Process(process.pid).children():
        for trial in server.children():
            return trial
    return None
