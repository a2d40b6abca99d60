"""Models that continue the prime of a note, by name.

:func:`create` makes an untrained model, ``notedecay.training.fit`` trains it, ``save`` writes it
and :func:`load` reads it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notedecay.core.errors import UserError, nearest
from notedecay.core.validation import parse
from notedecay.models import checksums
from notedecay.models.base import Continuator, ContinuatorConfig, Signal
from notedecay.models.baselines.burg import Burg
from notedecay.models.baselines.esprit import Esprit
from notedecay.models.baselines.trivial import Repeat, Silence
from notedecay.models.formats import read_description
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
"""Every model by name."""


def create(
    name: str, signal: Signal, config: Mapping[str, Any] | ContinuatorConfig
) -> Continuator[Any]:
    """Make an untrained model.

    Parameters
    ----------
    name : str
        One of :data:`MODELS`.
    signal : Signal
        Instrument, sample rate, prime length and high-pass filter.
    config : mapping or ContinuatorConfig
        Settings of the model; what is left out has a default.

    Returns
    -------
    Continuator
        A baseline is ready for use; a model that learns has initial weights.

    Raises
    ------
    UserError
        For a name or a setting that does not exist, or a value out of range.

    Examples
    --------
    >>> import numpy as np
    >>> signal = Signal(instrument="piano", rate=4000, prime_seconds=0.33)
    >>> model = create("esprit", signal, {"order": 12})
    >>> t = np.arange(signal.prime_samples) / signal.rate
    >>> prime = np.sin(2 * np.pi * 220 * t).astype(np.float32)
    >>> model.continue_prime(prime, 4000).shape
    (4000,)
    """
    kind = _kind(name, "models")
    values = config.model_dump() if isinstance(config, ContinuatorConfig) else dict(config)
    return kind(signal, parse(kind.Config, values, name))


def load(folder: Path) -> Continuator[Any]:
    """Read a model from the folder that its ``save`` wrote.

    Parameters
    ----------
    folder : Path
        Of this version's format, or of the one before.

    Returns
    -------
    Continuator
        It continues a prime just as the saved one did.

    Raises
    ------
    UserError
        For a file that is missing, damaged, changed since it was saved, or of a later
        version, and for weights that are not finite.

    Examples
    --------
    >>> import tempfile
    >>> model = create("burg", Signal(instrument="piano", rate=4000), {"order": 100})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder))
    ...     again = load(Path(folder))
    >>> again.name, again.config.order
    ('burg', 100)
    """
    path, name, signal, config = read_description(folder)
    where = str(path)
    kind = _kind(name, where)
    loaded = kind.load(folder, parse(Signal, signal, where), parse(kind.Config, config, where))
    checksums.check(folder)
    return loaded


def _kind(name: Any, where: str) -> type[Continuator[Any]]:
    """Find the class of a model's name."""
    if not isinstance(name, str) or name not in MODELS:
        hint = nearest(str(name), MODELS)
        raise UserError(f"{where}: unknown model '{name}'{hint}")
    return MODELS[name]
