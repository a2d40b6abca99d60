"""What a search may choose: from ``params.yaml`` to an Optuna trial and to a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from notedecay.config import Choice, Range
from notedecay.continuators import CONTINUATORS
from notedecay.errors import UserError, nearest

Spaces = Mapping[str, Mapping[str, Choice]]


def check_spaces(spaces: Spaces, where: str) -> None:
    """Refuse continuators and settings that do not exist.

    Parameters
    ----------
    spaces : mapping
        Per continuator, per setting, what may be chosen.
    where : str
        For the message.

    Raises
    ------
    UserError
        Naming the unknown word and the nearest known one.
    """
    for name, space in spaces.items():
        if name not in CONTINUATORS:
            raise UserError(f"{where}: unknown continuator '{name}'{nearest(name, CONTINUATORS)}")
        known = CONTINUATORS[name].Config.model_fields
        for setting in space:
            if setting not in known:
                raise UserError(f"{where}.{name}: unknown '{setting}'{nearest(setting, known)}")


def suggest(trial: optuna.Trial, spaces: Spaces) -> tuple[str, dict[str, Any]]:
    """Let a trial choose a continuator and its settings.

    Settings of different continuators have names of their own in the study, so that the
    sampler never mistakes one for the other.

    Returns
    -------
    str, dict
        Name of the continuator, its settings.
    """
    names = list(spaces)
    name = names[0] if len(names) == 1 else trial.suggest_categorical("continuator", names)
    settings = {
        setting: _suggest(trial, f"{name}.{setting}", choice)
        for setting, choice in spaces[name].items()
    }
    return name, settings


def _suggest(trial: optuna.Trial, name: str, choice: Choice) -> Any:
    if isinstance(choice, Range):
        return trial.suggest_float(name, choice.low, choice.high, log=choice.log)
    if isinstance(choice, list):
        return trial.suggest_categorical(name, choice)
    return choice
