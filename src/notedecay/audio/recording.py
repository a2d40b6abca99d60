"""Sound in and out of files."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from notedecay.errors import UserError
from notedecay.files import replacing
from notedecay.notes.note import Samples

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
LONGEST_SECONDS = 600.0
"""A single note or a chromatic run is far shorter; an album by mistake is not."""
SILENT_DBFS = -70.0
"""Ten steps of a 16-bit converter: nothing that a player could have meant."""
CLIPPED_RUN = 4
"""A full-scale 27 Hz tone stays on its largest 16-bit value for three samples at most."""
CLIPPED_DBFS = -0.3
"""Flat tops under this level come from quantisation, not from an overloaded converter."""

_CODEC_SECONDS = 0.1
"""Lossy codecs may announce a frame or two more than they give."""
_UNKNOWN_LENGTH = 0xFFFFFFFF
"""What a program writes that streams a WAV and cannot know its length."""


@dataclass(frozen=True)
class Recording:
    """Sound as a file holds it.

    Attributes
    ----------
    samples : ndarray of float32, shape (channels, samples)
        Full scale is -1..1.
    rate : int
        Hz.
    path : Path or None
        Where it came from; None for bytes.
    """

    samples: NDArray[np.float32]
    rate: int
    path: Path | None = None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path) if self.path else "the audio sent"

    @property
    def seconds(self) -> float:
        """Length (s)."""
        return float(self.samples.shape[1] / self.rate)

    @property
    def peak_dbfs(self) -> float:
        """Largest sample (dB re full scale), -inf for zeros."""
        return _db(float(np.max(np.abs(self.samples), initial=0.0)))


def read(path: Path, *, start: float = 0.0, seconds: float | None = None) -> Recording:
    """Read a WAV, FLAC, AIFF, OGG or MP3 file.

    Parameters
    ----------
    path : Path
        The file.
    start : float
        Where to begin (s), 0 or more.
    seconds : float, optional
        How much to read; to the end when left out or when the file ends first.

    Returns
    -------
    Recording
        At least one sample, all finite. It may be silent or clipped: see
        :func:`is_silent` and :func:`is_clipped`.

    Raises
    ------
    UserError
        No such file, a folder, an empty, truncated or non-audio file, no samples,
        NaN or infinite samples, or more than 10 minutes.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise UserError(f"{path}: no such file")
        if path.is_dir():
            raise UserError(f"{path} is a folder: name one recording in it")
        if path.stat().st_size == 0:
            raise UserError(f"{path} is empty (0 bytes): fetch or export it again")
        with path.open("rb") as stream:
            samples, rate = _decode(stream, str(path), start, seconds)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    return Recording(samples, rate, path)


def read_bytes(data: bytes) -> Recording:
    """Read a whole audio file that arrived as bytes (over HTTP, say).

    Raises
    ------
    UserError
        As :func:`read`.
    """
    if not data:
        raise UserError("the audio sent is empty (0 bytes)")
    samples, rate = _decode(io.BytesIO(data), "the audio sent", 0.0, None)
    return Recording(samples, rate)


def is_silent(recording: Recording) -> bool:
    """Whether no sample rises above -70 dBFS."""
    return recording.peak_dbfs < SILENT_DBFS


def is_clipped(recording: Recording) -> bool:
    """Whether tops are cut off flat: four or more equal samples in a row at full scale."""
    if recording.peak_dbfs < CLIPPED_DBFS:
        return False
    return any(_longest_flat_top(channel) >= CLIPPED_RUN for channel in recording.samples)


def encode(samples: Samples, rate: int) -> bytes:
    """Mono samples, shape (samples,), as the bytes of a 24-bit WAV file.

    Samples beyond full scale are clipped to it.
    """
    buffer = io.BytesIO()
    sf.write(buffer, samples, rate, format="WAV", subtype="PCM_24")
    return buffer.getvalue()


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write mono samples as a 24-bit WAV file, whole or not at all.

    Parameters
    ----------
    path : Path
        Where; an existing file is replaced.
    samples : ndarray of float32, shape (samples,)
        Full scale is -1..1; what lies beyond is clipped.
    rate : int
        Hz.

    Raises
    ------
    UserError
        The file cannot be written there.
    """
    with replacing(Path(path)) as partial:
        partial.write_bytes(encode(samples, rate))


def _decode(
    stream: BinaryIO, name: str, start: float, seconds: float | None
) -> tuple[NDArray[np.float32], int]:
    try:
        file = sf.SoundFile(stream)
    except (RuntimeError, TypeError) as error:
        reason = str(error).split(": ")[-1].rstrip(".")
        raise UserError(f"{name} is not audio that can be read ({reason})") from error
    with file:
        rate = int(file.samplerate)
        if file.frames > LONGEST_SECONDS * rate:
            raise UserError(f"{name} is longer than 10 minutes: cut it to one note")
        first = min(round(start * rate), file.frames)
        left = file.frames - first
        wanted = left if seconds is None else min(left, round(seconds * rate))
        try:
            file.seek(first)
            samples = file.read(wanted, dtype="float32", always_2d=True).T
        except RuntimeError as error:
            raise UserError(f"{name} is truncated or damaged: fetch or export it again") from error
        ends_early = samples.shape[1] < wanted - _CODEC_SECONDS * rate
        if ends_early or _header_promises_more(file) or _stream_unfinished(file, stream):
            raise UserError(f"{name} is truncated: fetch or export it again")
    if samples.shape[1] == 0:
        raise UserError(f"{name} holds no samples there: export it again")
    if not np.isfinite(samples).all():
        raise UserError(f"{name} holds NaN or infinite samples: export it again")
    return np.ascontiguousarray(samples), rate


def _header_promises_more(file: sf.SoundFile) -> bool:
    """Whether a WAV or AIFF header announces more bytes than follow (libsndfile's log says so)."""
    found = re.search(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info)
    return found is not None and int(found[2]) < int(found[1]) < _UNKNOWN_LENGTH


def _stream_unfinished(file: sf.SoundFile, stream: BinaryIO) -> bool:
    """Whether an Ogg stream lacks its last page, or a part of it (RFC 3533)."""
    if file.format != "OGG":
        return False
    stream.seek(0)
    data = stream.read()
    page = data[data.rfind(b"OggS") :]
    is_last = len(page) > 27 and page[5] & 4
    return not is_last or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _longest_flat_top(channel: Samples) -> int:
    """Longest run of equal samples at the channel's own largest magnitude."""
    top = np.abs(channel) >= np.max(np.abs(channel))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], top.astype(np.int8), [0]))))
    return int(np.max(edges[1::2] - edges[::2]))


def _db(ratio: float) -> float:
    return 20 * math.log10(ratio) if ratio > 0 else -math.inf
