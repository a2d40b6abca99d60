"""The components of a model, each with the setting that removes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notedecay.core.errors import UserError, nearest
from notedecay.core.validation import parse
from notedecay.models import MODELS
from notedecay.studies.crossval.plan import System

FULL = "full model"
WITHOUT = "without "

COMPONENTS: dict[str, dict[str, dict[str, Any]]] = {
    "modal": {
        "dropping transients": {"drop_transients": False},
        "aftersound": {"aftersound": False},
        "noise floor": {"noise_floor": False},
        "augmentation": {"augmentations": 0},
        "beats": {"beats": False},
        "neighbours": {"neighbours": False},
        "ensemble": {"members": 1},
        "input noise": {"input_noise": 0.0},
        "dropout": {"dropout": 0.0},
    },
}
"""By model: the name of a component, and the settings of a model without it."""


def variants(best: Mapping[str, Any], epochs: int, components: Sequence[str] = ()) -> list[System]:
    """The best model of the search, then variants of it without each of its components.

    A component that the settings of the search have switched off has no variant.

    Parameters
    ----------
    best : mapping
        ``best.json``: model and settings.
    epochs : int
        Of a full training.
    components : sequence of str
        Those to remove; all if empty.

    Raises
    ------
    UserError
        For a model without listed components, a model that has none of them, a component that is
        not listed, or settings that it does not know.
    """
    name = best["model"]
    if name not in COMPONENTS:
        raise UserError(
            f"the best of the search is '{name}', of which no components are listed to remove "
            f"(known: {', '.join(COMPONENTS)}); add a line to studies/ablation/variants.py"
        )
    for component in components:
        if component not in COMPONENTS[name]:
            raise UserError(
                f"'{name}' has no component '{component}'{nearest(component, COMPONENTS[name])}"
            )
    settings = {**best["settings"], "epochs": epochs}
    full = parse(MODELS[name].Config, settings, "best.json")
    without = {
        component: change
        for component, change in COMPONENTS[name].items()
        if (not components or component in components)
        and any(getattr(full, setting) != value for setting, value in change.items())
    }
    if absent := set(components) - set(without):
        raise UserError(f"the best of the search is already without {', '.join(sorted(absent))}")
    if not without:
        raise UserError(
            f"the best of the search has none of the components: {', '.join(COMPONENTS[name])}"
        )
    return [
        System(FULL, name, settings),
        *(
            System(WITHOUT + component, name, settings | change)
            for component, change in without.items()
        ),
    ]
