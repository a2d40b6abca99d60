"""The parameters of the pipeline against the continuators that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from notedecay.core.config import Choice, Params, Range, load_params, parse
from notedecay.core.errors import UserError, nearest
from notedecay.models import MODELS
from notedecay.training import choose_device

DEVICES = {"prepare": ("search", "train"), "search": ("search", "train"), "train": ("train",)}
"""Sections with a device that a stage, or one that follows it at once, computes on."""


def load_checked(path: Path) -> Params:
    """Read ``params.yaml``, and try everything that it may choose.

    A search must not find out after an hour that a baseline's name is mistyped.

    Raises
    ------
    UserError
        As :func:`notedecay.core.config.load_params`, and for a continuator or setting that does
        not exist, a value out of its range, a baseline that must learn or a searched
        continuator that cannot.
    """
    params = load_params(path)
    for name, instrument in params.instruments.items():
        for baseline, settings in instrument.evaluate.baselines.items():
            where = f"{path}: instruments.{name}.evaluate.baselines"
            _check_kind(baseline, where, learned=False)
            for setting, value in settings.items():
                _check_setting(baseline, setting, value, where)
            parse(MODELS[baseline].Config, settings, f"{where}.{baseline}")
        for searched, space in instrument.search.spaces.items():
            where = f"{path}: instruments.{name}.search.spaces"
            _check_kind(searched, where, learned=True)
            if "epochs" in space:
                raise UserError(f"{where}.{searched}: 'epochs' is set by search.epochs")
            for setting, choice in space.items():
                for value in _extremes(choice):
                    _check_setting(searched, setting, value, where)
    return params


def check_devices(path: Path, params: Params, instrument: str, stage: str) -> None:
    """Look for the devices of an instrument before any of its work is begun.

    Parameters
    ----------
    path : Path
        Of ``params.yaml``, for the message.
    params : Params
        Validated.
    instrument, stage : str
        What is about to be run. The stages ``evaluate`` and ``register`` need no device: a
        machine without a GPU can run them on what one with a GPU has trained.

    Raises
    ------
    UserError
        For a device that is not there, with those that are.
    """
    for section in DEVICES.get(stage, ()):
        device = getattr(params.instrument(instrument), section).device
        try:
            choose_device(device)
        except UserError as error:
            where = f"{path}: instruments.{instrument}.{section}.device"
            raise UserError(f"{where}: {error}") from error


def _check_setting(continuator: str, setting: str, value: Any, where: str) -> None:
    """Try a setting; text and truth values do not pass for numbers."""
    strict = isinstance(value, str | bool)
    parse(MODELS[continuator].Config, {setting: value}, f"{where}.{continuator}",
          strict=strict or None)  # fmt: skip


def _check_kind(name: str, where: str, *, learned: bool) -> None:
    kinds = [known for known, kind in MODELS.items() if kind.learned == learned]
    if name in kinds:
        return
    if name in MODELS:
        place = "evaluate.baselines" if learned else "search.spaces"
        raise UserError(f"{where}: '{name}' belongs under {place}")
    raise UserError(f"{where}: unknown continuator '{name}'{nearest(name, kinds)}")


def _extremes(choice: Choice) -> list[Any]:
    """Values that stand for a whole choice."""
    if isinstance(choice, Range):
        return [choice.low, choice.high]
    return choice if isinstance(choice, list) else [choice]
