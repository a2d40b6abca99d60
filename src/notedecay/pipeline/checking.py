"""Checks of the parameters against the models and devices that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from notedecay.core.config import Choice, Instrument, Params, Range, load_params
from notedecay.core.errors import UserError, nearest
from notedecay.core.validation import parse
from notedecay.models import MODELS
from notedecay.training import choose_device

_TRAINING = ("search", "train")
DEVICES = {
    "configure": _TRAINING, "prepare": _TRAINING, "search": _TRAINING, "train": ("train",),
}  # fmt: skip
"""Sections with a device that a stage, or a later one of the same call, computes on."""


def load_checked(path: Path) -> Params:
    """Read ``params.yaml``, and check every model and setting in it.

    A mistyped baseline is reported before the search, not an hour later.

    Raises
    ------
    UserError
        As :func:`notedecay.core.config.load_params`, and for a model or setting that does not
        exist, a value out of its range, a baseline that needs training or a searched model
        that does not. The message names the place in the file.
    """
    params = load_params(path)
    _check(params.defaults, f"{path}: defaults")
    # The defaults are valid: errors from here on are in the instrument's own values.
    for name, instrument in params.instruments.items():
        _check(instrument, f"{path}: instruments.{name}")
    return params


def _check(instrument: Instrument, where: str) -> None:
    for baseline, settings in instrument.evaluate.baselines.items():
        place = f"{where}.evaluate.baselines"
        _check_kind(baseline, place, learned=False)
        for setting, value in settings.items():
            _check_setting(baseline, setting, value, place)
        parse(MODELS[baseline].Config, settings, f"{place}.{baseline}")
    for searched, space in instrument.search.spaces.items():
        place = f"{where}.search.spaces"
        _check_kind(searched, place, learned=True)
        if "epochs" in space:
            raise UserError(f"{place}.{searched}: 'epochs' is set by search.epochs")
        for setting, choice in space.items():
            for value in _extremes(choice):
                _check_setting(searched, setting, value, place)


def check_devices(path: Path, params: Params, instrument: str, stage: str) -> None:
    """Check that the devices of an instrument exist, before any of its stages runs.

    Parameters
    ----------
    path : Path
        Of ``params.yaml``, for the message.
    params : Params
        Validated.
    instrument, stage : str
        The stage that is about to run. ``compare`` and ``register`` need no device: a machine
        without a GPU can run them with a model that was trained on one.

    Raises
    ------
    UserError
        For a device that does not exist; the message names those that do.
    """
    for section in DEVICES.get(stage, ()):
        device = getattr(params.instrument(instrument), section).device
        try:
            choose_device(device)
        except UserError as error:
            inherited = device == getattr(params.defaults, section).device
            group = "defaults" if inherited else f"instruments.{instrument}"
            raise UserError(f"{path}: {group}.{section}.device: {error}") from error


def _check_setting(model: str, setting: str, value: Any, where: str) -> None:
    """Validate a setting; text and truth values are no numbers."""
    strict = isinstance(value, str | bool)
    parse(MODELS[model].Config, {setting: value}, f"{where}.{model}", strict=strict or None)


def _check_kind(name: str, where: str, *, learned: bool) -> None:
    kinds = [known for known, kind in MODELS.items() if kind.learned == learned]
    if name in kinds:
        return
    if name in MODELS:
        place = "evaluate.baselines" if learned else "search.spaces"
        raise UserError(f"{where}: '{name}' belongs under {place}")
    raise UserError(f"{where}: unknown model '{name}'{nearest(name, kinds)}")


def _extremes(choice: Choice) -> list[Any]:
    """Values of a choice that are validated in place of all."""
    if isinstance(choice, Range):
        return [choice.low, choice.high]
    return choice if isinstance(choice, list) else [choice]
