"""Candidates for the championship: the trained model and the baselines, and their runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from notedecay.core.config import Evaluate
from notedecay.experiments.dataset import Dataset
from notedecay.models import Continuator, create, load
from notedecay.tracking.runs import ActiveRun, Tracker


def candidates(material: Dataset, config: Evaluate, model: Path) -> dict[str, Continuator[Any]]:
    """The trained model and the baselines, by name.

    Parameters
    ----------
    material : Dataset
        Says how they hear.
    config : Evaluate
        Names the baselines.
    model : Path
        Folder of the trained model.
    """
    learned = load(model)
    classical = {
        name: create(name, material.signal, settings) for name, settings in config.baselines.items()
    }
    return {learned.name: learned, **classical}


def new_run(
    tracker: Tracker, continuator: Continuator[Any], tags: dict[str, str] | None = None
) -> AbstractContextManager[ActiveRun]:
    """A run of its own for a candidate."""
    kind = kind_of(continuator)
    params = {"continuator": continuator.name, **continuator.config.model_dump()}
    return tracker.run(f"{kind} {continuator.name}", kind, params=params, tags=tags)


def kind_of(continuator: Continuator[Any]) -> str:
    """Kind of a candidate's run."""
    return "train" if continuator.learned else "baseline"
