"""Writing of 24-bit WAV files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile as sf

from notedecay.audio.recording import to_full_scale
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.core.files import replacing


def encode(samples: Samples, rate: int) -> bytes:
    """Mono samples as the bytes of a 24-bit WAV file.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Full scale is -1..1. A signal that exceeds it is scaled as a whole and never clipped.
        To report the scaling, or to scale several files alike, call
        :func:`~notedecay.audio.to_full_scale` first.
    rate : int
        Hz.

    Raises
    ------
    UserError
        NaN or infinite samples.
    """
    if not np.isfinite(samples).all():
        raise UserError(
            "the sound to write holds NaN or infinite samples, nothing is written: "
            "the weights of the model that made it, or its prime, are at fault"
        )
    buffer = io.BytesIO()
    [scaled] = to_full_scale(samples)
    sf.write(buffer, scaled, rate, format="WAV", subtype="PCM_24")
    return buffer.getvalue()


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write mono samples as a 24-bit WAV file, whole or not at all.

    Parameters
    ----------
    path : Path
        Where; an existing file is replaced.
    samples, rate
        As :func:`encode` takes them.

    Raises
    ------
    UserError
        The file cannot be written there, or the samples are not finite.

    Examples
    --------
    A peak of 2 is scaled to full scale, never clipped:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder) / "loud.wav", np.array([2.0, -1.0, 0.0], np.float32), 8000)
    ...     sf.read(Path(folder) / "loud.wav")[0].round(3).tolist()
    [1.0, -0.5, 0.0]
    """
    try:
        content = encode(samples, rate)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    with replacing(Path(path)) as partial:
        partial.write_bytes(content)
