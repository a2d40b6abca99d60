"""Trials that are over, with given scores, as a search writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState, create_trial

from notedecay.core.config import Search
from notedecay.experiments.search.sampler import Point
from notedecay.training.selection import select_epoch
from tests import toy

CONFIG = Search(**toy.INSTRUMENT["search"] | {
    "trials": 12, "epochs": 24, "check_every": 4, "warmup_checks": 2, "spaces": {"lstm": {}},
})  # fmt: skip
"""Evaluated at epochs 4, 8, 12, 16, 20 and 24; a trial may end after the second evaluation."""


def ended(
    slot: int,
    scores: Mapping[int, Sequence[float | None]],
    model: str = "lstm",
    state: TrialState = TrialState.COMPLETE,
    values: Sequence[float] | None = None,
    **given: Any,
) -> FrozenTrial:
    """A trial with these scores of the validation notes by epoch."""
    known = {epoch: np.asarray(notes, np.float64) for epoch, notes in scores.items()}
    whole = all(np.isfinite(notes).all() for notes in known.values())
    selected = select_epoch(known) if whole else max(known)
    if state == TrialState.COMPLETE and values is None:
        values = [float(np.nanmean(known[selected]))]
    attributes = {
        "slot": slot,
        "model": model,
        "settings": {},
        "scores": {str(epoch): list(notes) for epoch, notes in scores.items()},
        "selected_epoch": selected,
    }
    return create_trial(state=state, values=values, user_attrs=attributes | given)


def at(
    point: Point, score: float, state: TrialState = TrialState.COMPLETE, **given: Any
) -> FrozenTrial:
    """The trial of a point, over with one score for all notes."""
    attributes = {
        "slot": point.slot,
        "model": point.model,
        "settings": point.settings,
        "run_id": f"{point.slot:032x}",
        "scores": {"4": [score / 2] * 6, "8": [score] * 6},
        "selected_epoch": 8,
    }
    if state == TrialState.FAIL:
        attributes = {k: v for k, v in attributes.items() if k in ("slot", "model", "settings")}
        attributes["reason"] = "out of memory"
    return create_trial(
        state=state,
        values=given.pop("values", [score]) if state == TrialState.COMPLETE else None,
        params=point.params,
        distributions=point.distributions,
        user_attrs=attributes | given,
    )
