"""What a search may choose: from ``params.yaml`` to an Optuna trial and to a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from notedecay.core.config import Choice, Range
from notedecay.models import MODELS

Spaces = Mapping[str, Mapping[str, Choice]]


def suggest(trial: optuna.Trial, spaces: Spaces) -> tuple[str, dict[str, Any]]:
    """Let a trial choose a model and its settings.

    Settings of different models have names of their own in the study, so that the
    sampler never confuses them.

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
