"""The store of trials: a folder for each, named by its fingerprint.

Below ``mlruns/trials``: ``<model>-<fingerprint>/`` holds a finished trial, ``….unfinished/`` the
progress of one that runs or was interrupted, and ``.locks/`` a lock for each.
"""

from __future__ import annotations

import glob
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from notedecay.core.files import readable
from notedecay.core.tables import read_json
from notedecay.experiments.trial import DIAGNOSIS, LISTEN, MODEL, PRUNED, RESULT, Trial
from notedecay.training.selection import HISTORY


class TrialStore:
    """Finished and unfinished trials of a project.

    Several processes may use it at once: a trial is run by one of them, and the others wait for
    its result.

    Parameters
    ----------
    folder : Path
        Such as ``project.trials``; made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def targets(self) -> Path:
        """Folder of what trainings have measured of notes, beside that of the trials."""
        return self._folder.with_name("targets")

    def folder(self, trial: Trial) -> Path:
        """Folder of the finished trial."""
        return self._folder / f"{trial.model}-{trial.fingerprint}"

    def unfinished(self, trial: Trial) -> Path:
        """Folder of its checkpoint and history while it is not finished."""
        folder = self.folder(trial)
        return folder.with_name(f"{folder.name}.unfinished")

    def has(self, trial: Trial) -> bool:
        """Whether the trial is finished and has all artifacts that it asks for.

        A pruned trial is not finished: another study may need all of its epochs.
        """
        folder = self.folder(trial)
        wanted = trial.artifacts
        needed = [
            name
            for name, asked in (
                (LISTEN, wanted.listen),
                (DIAGNOSIS, wanted.diagnose_every),
                (MODEL, wanted.model),
            )
            if asked
        ]
        return (
            (folder / RESULT).exists()
            and all((folder / name).exists() for name in needed)
            and self.result(trial)["ended"] != PRUNED
        )

    def result(self, trial: Trial) -> dict[str, Any]:
        """Result of a trial that has ended, as :func:`~notedecay.experiments.execute` wrote it.

        Raises
        ------
        UserError
            For a file that is missing or damaged.
        """
        found: dict[str, Any] = read_json(self.folder(trial) / RESULT)
        return found

    def history(self, trial: Trial) -> list[dict[str, Any]]:
        """Metrics of the finished epochs of an unfinished trial.

        Raises
        ------
        UserError
            For a file that is damaged.
        """
        path = self.unfinished(trial) / HISTORY
        with readable(path):
            rows = json.loads(path.read_text())["history"] if path.exists() else []
            return [dict(row) for row in rows]

    @contextmanager
    def locked(self, trial: Trial) -> Iterator[None]:
        """Lock a trial against other processes; partial files of a killed one are removed."""
        with self._lock(trial):
            self._sweep(trial)
            yield

    def sweep(self, trial: Trial) -> None:
        """Remove partial files of a killed process, unless another process runs the trial."""
        with suppress(Timeout), self._lock(trial).acquire(timeout=0):
            self._sweep(trial)

    def remove(self, trial: Trial) -> None:
        """Remove a trial, finished or not."""
        shutil.rmtree(self.folder(trial), ignore_errors=True)
        shutil.rmtree(self.unfinished(trial), ignore_errors=True)

    def _lock(self, trial: Trial) -> FileLock:
        locks = self._folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        return FileLock(locks / f"{self.folder(trial).name}.lock")

    def _sweep(self, trial: Trial) -> None:
        folder = self.folder(trial)
        halves = [
            *folder.parent.glob(f".{glob.escape(folder.name)}.[0-9]*.*"),
            *self.unfinished(trial).glob(".*.partial"),
        ]
        for half in halves:
            if half.is_dir():
                shutil.rmtree(half, ignore_errors=True)
            else:
                half.unlink(missing_ok=True)
