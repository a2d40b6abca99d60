"""Candidates for the alias ``champion``: the trained model and the baselines, and their runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from notedecay.core.config import Evaluate
from notedecay.experiments.dataset import Dataset
from notedecay.models import Continuator, create, load
from notedecay.tracking.runs import ActiveRun, Tracker


def candidates(dataset: Dataset, config: Evaluate, folder: Path) -> dict[str, Continuator[Any]]:
    """The trained model and the baselines, by name.

    Parameters
    ----------
    dataset : Dataset
        Has the signal settings.
    config : Evaluate
        Names the baselines.
    folder : Path
        Holds the trained model.
    """
    trained = load(folder)
    baselines = {
        name: create(name, dataset.signal, settings) for name, settings in config.baselines.items()
    }
    return {trained.name: trained, **baselines}


def new_run(
    tracker: Tracker, model: Continuator[Any], tags: dict[str, str] | None = None
) -> AbstractContextManager[ActiveRun]:
    """Open a new run of a candidate."""
    kind = kind_of(model)
    params = {"model": model.name, **model.config.model_dump()}
    return tracker.run(f"{kind} {model.name}", kind, params=params, tags=tags)


def kind_of(model: Continuator[Any]) -> str:
    """Kind of a candidate's run."""
    return "train" if model.learned else "baseline"
