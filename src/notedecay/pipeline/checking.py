"""The parameters of the pipeline against the continuators that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from notedecay.config import Choice, Params, Range, load_params, parse
from notedecay.continuators import CONTINUATORS
from notedecay.errors import UserError, nearest


def load_checked(path: Path) -> Params:
    """Read ``params.yaml``, and try everything that it may choose.

    A search must not find out after an hour that a baseline's name is mistyped.

    Raises
    ------
    UserError
        As :func:`notedecay.config.load_params`, and for a continuator or setting that does
        not exist, a value out of its range, a baseline that must learn or a searched
        continuator that cannot.
    """
    params = load_params(path)
    for name, instrument in params.instruments.items():
        for baseline, settings in instrument.evaluate.baselines.items():
            where = f"{path}: instruments.{name}.evaluate.baselines"
            _check_kind(baseline, where, learned=False)
            parse(CONTINUATORS[baseline].Config, settings, f"{where}.{baseline}")
        for searched, space in instrument.search.spaces.items():
            where = f"{path}: instruments.{name}.search.spaces"
            _check_kind(searched, where, learned=True)
            if "epochs" in space:
                raise UserError(f"{where}.{searched}: 'epochs' is set by search.epochs")
            for setting, choice in space.items():
                for value in _extremes(choice):
                    parse(CONTINUATORS[searched].Config, {setting: value}, f"{where}.{searched}")
    return params


def _check_kind(name: str, where: str, *, learned: bool) -> None:
    kinds = [known for known, kind in CONTINUATORS.items() if kind.learned == learned]
    if name in kinds:
        return
    if name in CONTINUATORS:
        place = "evaluate.baselines" if learned else "search.spaces"
        raise UserError(f"{where}: '{name}' belongs under {place}")
    raise UserError(f"{where}: unknown continuator '{name}'{nearest(name, kinds)}")


def _extremes(choice: Choice) -> list[Any]:
    """Values that stand for a whole choice."""
    if isinstance(choice, Range):
        return [choice.low, choice.high]
    return choice if isinstance(choice, list) else [choice]
