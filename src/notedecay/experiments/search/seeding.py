"""Seeding: the best points of an earlier search, made with other code or data, begin a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from notedecay.core.config import Choice, Range
from notedecay.core.errors import count
from notedecay.experiments.search.space import Spaces


@dataclass(frozen=True)
class Earlier:
    """A study in the storage.

    Attributes
    ----------
    name : str
        Of the study.
    begun : datetime
        When it began.
    trials : sequence of FrozenTrial
        Those that are over.
    """

    name: str
    begun: datetime
    trials: Sequence[FrozenTrial]


@dataclass(frozen=True)
class Seeds:
    """Points to begin a study with.

    Attributes
    ----------
    points : tuple of dict
        For :attr:`~.sampler.Plan.enqueued`, the best first.
    line : str
        Where they come from, in words.
    """

    points: tuple[dict[str, Any], ...]
    line: str


def seeds(studies: Sequence[Earlier], own: str, spaces: Spaces, most: int) -> Seeds | None:
    """Take the best points of the newest other study that has any.

    Parameters
    ----------
    studies : sequence of Earlier
        Studies of the same instrument.
    own : str
        Name of the study that begins; it is not taken from.
    spaces : mapping
        Of the study that begins. What lies outside is left out: a point keeps the settings that
        fit, and one of a model that is not searched, or without any setting that fits, is dropped.
    most : int
        How many points at most.

    Returns
    -------
    Seeds or None
        None where no other study has a point that fits. Keep them with the new study: another
        study may be the newest one tomorrow.
    """
    others = [study for study in studies if study.name != own]
    for study in sorted(others, key=lambda study: (study.begun, study.name), reverse=True):
        points: list[dict[str, Any]] = []
        for trial in _best_first(study.trials):
            point = _fitting(trial, spaces)
            if point is not None and point not in points:
                points.append(point)
        if points[:most]:
            what = count(len(points[:most]), "point")
            line = (
                f"begins with the best {what} of the search {study.name} of {study.begun:%Y-%m-%d}"
            )
            return Seeds(tuple(points[:most]), line)
    return None


def _best_first(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Complete trials by score, which is the first of their values."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(complete, key=lambda trial: -trial.values[0])


def _fitting(trial: FrozenTrial, spaces: Spaces) -> dict[str, Any] | None:
    """The parameters of a trial that the spaces allow; None if nothing is left of it."""
    model = trial.user_attrs["model"]
    space = spaces.get(model, {})
    fitting = {
        f"{model}.{setting}": value
        for setting, value in trial.user_attrs["settings"].items()
        if setting in space and _inside(value, space[setting])
    }
    return {"model": model, **fitting} if fitting else None


def _inside(value: Any, choice: Choice) -> bool:
    if isinstance(choice, Range):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and choice.low <= value <= choice.high
    # A boolean is no number here, although Python has True == 1.
    return isinstance(choice, list) and any(
        value == one and isinstance(value, bool) == isinstance(one, bool) for one in choice
    )
