"""Paths of a project folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notedecay.core.errors import UserError

MERGED_PARAMS = "params.json"
"""File of an instrument's results with its parameters, defaults included, and hashes of code."""


@dataclass(frozen=True)
class Project:
    """The folder that holds ``params.yaml`` and ``dvc.yaml``.

    Attributes
    ----------
    root : Path
        Absolute.
    """

    root: Path

    @property
    def params(self) -> Path:
        """The parameters."""
        return self.root / "params.yaml"

    @property
    def data(self) -> Path:
        """Recordings as fetched, versioned by DVC."""
        return self.root / "data"

    def results(self, instrument: str) -> Path:
        """What the pipeline makes for an instrument, versioned by DVC."""
        return self.root / "results" / instrument

    @property
    def home(self) -> Path:
        """The folder that the user works in.

        ``dvc exp run --temp`` and its queue work in a throw-away copy below ``.dvc/tmp/exps``;
        runs and studies must outlive it.
        """
        parts = self.root.parts
        for i in range(len(parts) - 2):
            if parts[i : i + 3] == (".dvc", "tmp", "exps"):
                return Path(*parts[:i])
        return self.root

    @property
    def mlruns(self) -> Path:
        """Runs, artifacts, registry, studies and trials: what outlives one pipeline run."""
        return self.home / "mlruns"

    @property
    def trials(self) -> Path:
        """Finished and unfinished trials."""
        return self.mlruns / "trials"


def find_project(start: Path | None = None) -> Project:
    """The project around a folder.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the working directory by default.

    Raises
    ------
    UserError
        Outside a project.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
            return Project(folder)
    raise UserError(f"{here} is not inside a notedecay project (no params.yaml); cd to the clone")
