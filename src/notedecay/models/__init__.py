"""Continuators: everything that continues a prime, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notedecay.core.config import parse
from notedecay.core.errors import DamagedError, UserError, nearest
from notedecay.models import checksums
from notedecay.models.base import DESCRIPTION, FORMAT, Continuator, ContinuatorConfig, Signal
from notedecay.models.baselines.burg import Burg
from notedecay.models.baselines.esprit import Esprit
from notedecay.models.baselines.trivial import Repeat, Silence
from notedecay.models.learned import LearnedContinuator
from notedecay.models.modal.model import Modal
from notedecay.models.recurrent.cnn_lstm import CnnLstm
from notedecay.models.recurrent.gru import Gru
from notedecay.models.recurrent.lru import Lru
from notedecay.models.recurrent.lstm import Lstm
from notedecay.models.recurrent.vrnn import Vrnn

__all__ = [
    "MODELS",
    "Continuator",
    "ContinuatorConfig",
    "LearnedContinuator",
    "Signal",
    "create",
    "load",
]

MODELS: dict[str, type[Continuator[Any]]] = {
    kind.name: kind
    for kind in (Silence, Repeat, Burg, Esprit, Lstm, Gru, CnnLstm, Vrnn, Lru, Modal)
}
"""Every continuator by name."""


def create(
    name: str, signal: Signal, config: Mapping[str, Any] | ContinuatorConfig
) -> Continuator[Any]:
    """Make a continuator that has learned nothing yet.

    Parameters
    ----------
    name : str
        One of :data:`MODELS`.
    signal : Signal
        How it hears.
    config : mapping or ContinuatorConfig
        Its settings; what is left out has a default.

    Returns
    -------
    Continuator

    Raises
    ------
    UserError
        For a name or a setting that does not exist, or a value out of range.
    """
    kind = _kind(name, "continuators")
    values = config.model_dump() if isinstance(config, ContinuatorConfig) else dict(config)
    return kind(signal, parse(kind.Config, values, name))


def load(folder: Path) -> Continuator[Any]:
    """Rebuild a continuator from the folder that its ``save`` wrote.

    Raises
    ------
    UserError
        For a file that is missing, damaged, changed since it was saved, or of a later
        version, and for weights that are not finite.
    """
    path = folder / DESCRIPTION
    try:
        described = json.loads(path.read_text())
        name, layout = described["continuator"], described["format"]
        signal, config = described["signal"], described["config"]
    except OSError as error:
        raise DamagedError(
            f"no continuator in {folder}: {error.strerror}: {DESCRIPTION}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} is damaged; fetch or train the continuator again") from error
    if layout != FORMAT:
        raise UserError(f"{path} has format {layout!r}, this version reads {FORMAT}")
    kind = _kind(name, str(path))
    where = str(path)
    loaded = kind.load(folder, parse(Signal, signal, where), parse(kind.Config, config, where))
    checksums.check(folder)
    return loaded


def _kind(name: Any, where: str) -> type[Continuator[Any]]:
    """Find the class behind a name."""
    if not isinstance(name, str) or name not in MODELS:
        hint = nearest(str(name), MODELS)
        raise UserError(f"{where}: unknown continuator '{name}'{hint}")
    return MODELS[name]
