"""The search space: an Optuna trial suggests a model and settings from ``params.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from notedecay.core.config import Choice, Range
from notedecay.models import MODELS

Spaces = Mapping[str, Mapping[str, Choice]]


def suggest(trial: optuna.Trial, spaces: Spaces) -> tuple[str, dict[str, Any]]:
    """Suggest a model and its settings.

    Names in the study begin with the model, so that the sampler keeps the settings of different
    models apart.

    Returns
    -------
    str, dict
        Name of the model, its settings.
    """
    names = list(spaces)
    name = names[0] if len(names) == 1 else trial.suggest_categorical("model", names)
    settings = {
        setting: _suggest(trial, name, setting, choice) for setting, choice in spaces[name].items()
    }
    return name, settings


def _suggest(trial: optuna.Trial, name: str, setting: str, choice: Choice) -> Any:
    label = f"{name}.{setting}"
    if isinstance(choice, list):
        return trial.suggest_categorical(label, choice)
    if not isinstance(choice, Range):
        return choice
    if MODELS[name].Config.model_fields[setting].annotation is int:
        return trial.suggest_int(label, round(choice.low), round(choice.high), log=choice.log)
    return trial.suggest_float(label, choice.low, choice.high, log=choice.log)
