"""Learn how the sound of a note dies away, and continue it.

>>> import notedecay
>>> model = notedecay.load("piano")
>>> note = notedecay.generate(model, "prime.wav", seconds=5)  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notedecay.audio import Recording
    from notedecay.inference import Generated
    from notedecay.models import Continuator

__all__ = ["draw", "generate", "load"]


def load(model: str) -> Continuator[Any]:
    """Load a model by the name of its instrument, from the registry or from a folder.

    Parameters
    ----------
    model : str
        - An instrument such as ``piano``: the champion of the project around the working
          directory, else the one that is shipped with this package. Which of the two it is, is
          logged as ``INFO`` to the logger ``notedecay``.
        - ``models:/<name>@<alias>`` or ``models:/<name>/<version>`` in the registry of
          ``MLFLOW_TRACKING_URI``, else of the project around the working directory.
        - A folder that a model was saved to.

    Raises
    ------
    UserError
        For a model that is not there.
    """
    import logging

    from notedecay import champions

    found = champions.find(model)
    if found.source:
        logging.getLogger("notedecay").info(found.source)
    return found.model


def generate(
    model: Continuator[Any], prime: Recording | str | Path, seconds: float = 5.0
) -> Generated:
    """Continue a note.

    Parameters
    ----------
    model : Continuator
        From :func:`load`.
    prime : Recording, str or Path
        A recording, or the file that holds it; its first 330 ms after the onset are used.
    seconds : float
        Length of the continuation (s), above 0 and up to 60.

    Returns
    -------
    Generated
        ``samples`` (prime and continuation, float32), ``rate`` (Hz), ``prime_samples`` and
        the ``conversions`` that were needed.

    Raises
    ------
    UserError
        For a file that holds no usable prime.
    """
    from notedecay import inference

    return inference.generate(model, _recording(prime), seconds)


def draw(
    model: Continuator[Any],
    prime: Recording | str | Path,
    seconds: float = 5.0,
    *,
    count: int,
    seed: int = 0,
) -> list[Generated]:
    """Continue a note in several ways, from the range of decays that the prime leaves open.

    Parameters
    ----------
    model, prime, seconds
        As :func:`generate` takes them; the model must know a range, as ``modal`` does.
    count : int
        How many, 1 to 100.
    seed : int
        The same seed draws the same.

    Returns
    -------
    list of Generated

    Raises
    ------
    UserError
        As :func:`generate`, and for a model that knows one continuation only.
    """
    from notedecay import inference

    return inference.draw(model, _recording(prime), seconds, count=count, seed=seed)


def _recording(prime: Recording | str | Path) -> Recording:
    from notedecay import audio

    return prime if isinstance(prime, audio.Recording) else audio.read_head(Path(prime))
