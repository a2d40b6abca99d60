"""The ideas of a continuator, each with the setting that takes it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notedecay.core.config import parse
from notedecay.core.errors import UserError, nearest
from notedecay.models import MODELS
from notedecay.studies.crossval.plan import Competitor

FULL = "full model"
WITHOUT = "without "

IDEAS: dict[str, dict[str, dict[str, Any]]] = {
    "modal": {
        "weeding": {"drop_transients": False},
        "aftersound": {"aftersound": False},
        "hiss": {"noise_floor": False},
        "other strokes": {"augmentations": 0},
        "beats": {"beats": False},
        "neighbours": {"neighbours": False},
        "several nets": {"members": 1},
        "noise on the features": {"input_noise": 0.0},
        "dropout": {"dropout": 0.0},
    },
}
"""By continuator: an idea in plain words, and the settings of a model that is without it."""


def variants(best: Mapping[str, Any], epochs: int, ideas: Sequence[str] = ()) -> list[Competitor]:
    """The model as the search found it, then without each of its ideas.

    An idea that the search has left out itself is none of the model's, and has no variant.

    Parameters
    ----------
    best : mapping
        ``best.json``: continuator and settings.
    epochs : int
        Of a full training.
    ideas : sequence of str
        Those to take away; all if empty.

    Raises
    ------
    UserError
        For a continuator without listed ideas, a model that has none of them, an idea that is
        not listed, or settings that it does not know.
    """
    name = best["continuator"]
    if name not in IDEAS:
        raise UserError(
            f"the best of the search is '{name}', of which no ideas are listed to take away "
            f"(known: {', '.join(IDEAS)}); add a line to evaluation/variants.py"
        )
    for idea in ideas:
        if idea not in IDEAS[name]:
            raise UserError(f"'{name}' has no idea '{idea}'{nearest(idea, IDEAS[name])}")
    settings = {**best["settings"], "epochs": epochs}
    full = parse(MODELS[name].Config, settings, "best.json")
    without = {
        idea: change
        for idea, change in IDEAS[name].items()
        if (not ideas or idea in ideas)
        and any(getattr(full, setting) != value for setting, value in change.items())
    }
    if absent := set(ideas) - set(without):
        raise UserError(f"the best of the search is already without {', '.join(sorted(absent))}")
    if not without:
        raise UserError(f"the best of the search has none of the ideas: {', '.join(IDEAS[name])}")
    return [
        Competitor(FULL, name, settings),
        *(Competitor(WITHOUT + idea, name, settings | change) for idea, change in without.items()),
    ]
