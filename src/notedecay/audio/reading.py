"""Reading of audio files of many formats, with bounds on memory and time."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from notedecay.audio import mpeg, ogg
from notedecay.audio.containers import Promise, promise
from notedecay.audio.head import Block, Head
from notedecay.audio.recording import Recording, at_full_scale, peak_of, refuse_impossible
from notedecay.audio.stream import Patched
from notedecay.core.errors import UserError

SUFFIXES = (
    *(".wav", ".wave", ".bwf", ".rf64", ".w64"),
    *(".aif", ".aiff", ".aifc", ".caf", ".au"),
    *(".flac", ".ogg", ".oga", ".opus", ".mp3"),
)
"""Of recordings, in lower case."""
MAX_SECONDS = 600.0
"""A single note or a chromatic run is far shorter; an album by mistake is not."""
MAX_SAMPLES = 2**27
"""Over all channels (512 MiB): 10 minutes of stereo at 96 kHz."""
MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_CHANNELS = 64
MAX_SAMPLES_PER_SECOND = 2**23
"""Over all channels: size of the block that is read at a time."""
MAX_PIPE_BYTES = 2**28
"""Content of a pipe is kept in memory, since it can be read only once."""

_FINE_SUBTYPES = frozenset(
    ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32", "DWVW_24")
)
"""Of more than 16 bits. Decoders of lossy codecs differ between machines far above the 24th bit."""
_CODEC_SECONDS = 0.1
"""Lossy codecs may announce a frame or two more than they give; some programs write a length
that is a few bytes too large."""
_UNKNOWN_FRAMES = 2**31
"""Longer than anything that is read, at any rate: a file whose header does not know its length."""


class _Forward(sf.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning on: some codecs cannot seek, others do it slowly."""

    def seekable(self) -> bool:
        return False


def read(path: Path) -> Recording:
    """Read a whole recording of up to 10 minutes.

    Parameters
    ----------
    path : Path
        A file, or a pipe, in a format of :data:`SUFFIXES`; the name itself does not matter.

    Returns
    -------
    Recording
        At least one sample, all finite, at full scale. It may be silent or clipped: see
        :func:`is_silent` and :func:`is_clipped`.

    Raises
    ------
    UserError
        No such file, a folder, an empty, truncated or non-audio file, no samples,
        NaN or infinite samples, more than 10 minutes, 64 channels or 2^27 samples in all, or a
        rate outside of 1 to 768 kHz.

    Examples
    --------
    A sine of half the full scale has its peak at -6 dBFS:

    >>> from tempfile import TemporaryDirectory
    >>> from notedecay.audio import write
    >>> tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(44100) / 44100)
    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder) / "A4.wav", tone.astype(np.float32), 44100)
    ...     recording = read(Path(folder) / "A4.wav")
    >>> recording.rate, recording.seconds, recording.bits, round(recording.peak_dbfs, 2)
    (44100, 1.0, 24, -6.02)
    """
    path = Path(path)
    with _opened(path) as stream:
        return replace(_decoded(stream, str(path)), path=path)


def read_head(path: Path) -> Recording:
    """Read the beginning of a recording, as a prime needs it.

    Half a minute from the note's beginning, and less of many channels or high rates, is
    decoded: see :class:`~notedecay.audio.head.Head`. A shorter recording is read as
    :func:`read` does it.

    Parameters
    ----------
    path : Path
        As :func:`read` takes it.

    Returns
    -------
    Recording
        ``skipped_seconds`` says how much silence precedes it in the file.

    Raises
    ------
    UserError
        As :func:`read`; what lies behind the part that is read is not checked.
    """
    path = Path(path)
    with _opened(path) as stream:
        return replace(_decoded_head(stream, str(path)), path=path)


def read_bytes(data: bytes) -> Recording:
    """Read the beginning of an audio file that arrived as bytes (over HTTP, say).

    Raises
    ------
    UserError
        As :func:`read_head`.
    """
    if not data:
        raise UserError("the audio sent is empty (0 bytes)")
    return _decoded_head(io.BytesIO(data), "the audio sent")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{path} is a folder: name one recording in it")
        with path.open("rb") as stream:
            whole = stream if stat.S_ISREG(mode) else _drained(stream, path)
            if whole.seek(0, os.SEEK_END) == 0:
                raise UserError(f"{path} is empty (0 bytes): fetch or export it again")
            whole.seek(0)
            yield whole
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read: {reason}") from error


def _drained(pipe: BinaryIO, path: Path) -> BinaryIO:
    """All that comes through a pipe."""
    held = io.BytesIO()
    while block := pipe.read(2**20):
        held.write(block)
        if held.tell() > MAX_PIPE_BYTES:
            raise UserError(
                f"{path}: more than {MAX_PIPE_BYTES // 2**20} MiB come through this pipe: "
                "send the note alone"
            )
    return held


def _decoded(stream: BinaryIO, name: str) -> Recording:
    with _Decoder(stream, name) as decoder:
        if decoder.frames * decoder.channels > MAX_SAMPLES:
            decoder.refuse_size()
        blocks: list[Block] = []
        for block in decoder.blocks():
            blocks.append(block)
            if decoder.decoded * decoder.channels > MAX_SAMPLES:
                decoder.refuse_size()
        return _recording(blocks, decoder)


def _decoded_head(stream: BinaryIO, name: str) -> Recording:
    with _Decoder(stream, name) as decoder:
        head = Head(decoder.rate, decoder.channels)
        for block in decoder.blocks():
            if not head.takes(block) or decoder.decoded * decoder.channels > MAX_SAMPLES:
                break
        return replace(_recording(head.blocks, decoder), skipped_seconds=head.skipped_seconds)


def _recording(blocks: list[Block], decoder: _Decoder) -> Recording:
    decoder.refuse_truncated()
    if not blocks:
        raise UserError(f"{decoder.name} holds no samples: export it again")
    return at_full_scale(Recording(_joined(blocks), decoder.rate, bits=decoder.bits))


def _joined(blocks: list[Block]) -> NDArray[np.float32]:
    """Blocks of shape (samples, channels) as one of (channels, samples); the list is emptied.

    Each block is let go once it is copied, so that a recording is not held twice.
    """
    joined = np.empty((blocks[0].shape[1], sum(map(len, blocks))), dtype=np.float32)
    at = 0
    blocks.reverse()
    while blocks:
        block = blocks.pop()
        joined[:, at : at + len(block)] = block.T
        at += len(block)
    return joined


class _Decoder:
    """An audio file that is decoded a second at a time, within bounds.

    Attributes
    ----------
    rate, channels : int
        Of the file (Hz, count).
    bits : int
        16 or 24: of a sample in the file.
    frames : int
        How many samples of each channel the header gives; 0 where it does not know.
    decoded : int
        How many have been decoded.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._promise, self._breaks_off = promise(stream), ogg.breaks_off(stream)
        patches = {**self._promise.patches, **ogg.mended(stream)}
        self._stream = Patched(mpeg.mended(stream) or stream, patches)
        try:
            self._file = _Forward(self._stream)
        except (RuntimeError, TypeError) as error:
            reason = str(error).split(": ")[-1].rstrip(".")
            raise UserError(f"{name} is not audio that can be read ({reason})") from error
        self.rate, self.channels = int(self._file.samplerate), int(self._file.channels)
        self.bits = 24 if self._file.subtype in _FINE_SUBTYPES else 16
        known = 0 < self._file.frames < _UNKNOWN_FRAMES
        self.frames = int(self._file.frames) if known else 0
        self.decoded = 0
        self._is_at_end = False

    def __enter__(self) -> _Decoder:
        try:
            self._refuse_shape()
            self._refuse_long(self.frames)
        except UserError:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self) -> Iterator[Block]:
        """Blocks of a second, shape (samples, channels), to the end.

        Raises
        ------
        UserError
            The file is damaged, holds NaN, infinite or impossibly large samples, or more than
            10 minutes.
        """
        while len(block := self._next()):
            self.decoded += len(block)
            self._refuse_long(self.decoded)
            refuse_impossible(peak_of(block), self.name)
            yield block
        self._is_at_end = True

    def refuse_truncated(self) -> None:
        """Refuse a file that lacks 0.1 s or more of what its header promises."""
        given = self.decoded if self._is_at_end else max(self.decoded, self.frames)
        lacking: float = max(0, self.frames - given) + self._lacking(given, self._promise)
        is_cut = lacking >= _CODEC_SECONDS * self.rate
        if is_cut or (not given and self._promise.lacking) or self._breaks_off:
            raise UserError(f"{self.name} is truncated: fetch or export it again")

    def refuse_size(self) -> None:
        """Refuse a file that holds too many samples."""
        raise UserError(
            f"{self.name} holds more than {MAX_SAMPLES} samples over {self.channels} channels: "
            "cut it to one note, or export it with fewer channels or at a lower rate"
        )

    def _next(self) -> Block:
        try:
            block: Block = self._file.read(self.rate, dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise UserError(
                f"{self.name} is truncated or damaged: fetch or export it again"
            ) from error
        if self._stream.failure:
            raise self._stream.failure
        return block

    @staticmethod
    def _lacking(given: int, promised: Promise) -> float:
        """Samples of each channel that the missing bytes would have held."""
        return given * promised.lacking / max(1, promised.available)

    def _refuse_shape(self) -> None:
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise UserError(
                f"{self.name} has a sample rate of {self.rate} Hz, not one of {MIN_RATE} to "
                f"{MAX_RATE} Hz: export it again"
            )
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise UserError(
                f"{self.name} has {self.channels} channels, not 1 to {MAX_CHANNELS}: "
                "export one of them"
            )
        if self.rate * self.channels > MAX_SAMPLES_PER_SECOND:
            raise UserError(
                f"{self.name} has {self.channels} channels at {self.rate} Hz, more than "
                f"{MAX_SAMPLES_PER_SECOND} samples a second: export one channel"
            )

    def _refuse_long(self, frames: int) -> None:
        if frames > MAX_SECONDS * self.rate:
            raise UserError(f"{self.name} is longer than 10 minutes: cut it to one note")
