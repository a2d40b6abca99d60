"""Clips of notes for training and evaluation, and their file.

The file is an uncompressed ``.npz`` of the samples of all clips, one after the other, and of ids,
pitches, lengths and rates. Reading maps the samples into memory: each is read from the disk where
it is used, and the kernel drops it again when it needs the room.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from notedecay import audio
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip, Note

SAMPLES = "samples.npy"
"""First member of the file."""
COLUMNS = {"ids": np.str_, "pitches": np.int64, "lengths": np.int64, "rates": np.int64}
"""The others, each with an entry for each clip, and their types."""
BEGIN = 128
"""Where it begins (bytes): behind its header of the zip format, which is filled up to this."""
PADDING = struct.pack("<HH63x", 0xD935, 63)
"""The filling, with the mark that zip files have for it."""


def prepare_clips(
    data_dir: Path, notes: Sequence[Note], *, rate: int, seconds: float, highpass_hz: float
) -> Iterator[Clip]:
    """Cut notes out of their cleaned recordings, one after the other.

    Parameters
    ----------
    data_dir : Path
        The data folder.
    notes : sequence of Note
        From the catalogue, in any order.
    rate : int
        Of the clips (Hz).
    seconds : float
        Longest clip, from the onset; a note that ends earlier stays as long as it is.
    highpass_hz : float
        Corner of the rumble filter (Hz).

    Yields
    ------
    Clip
        One for each note, in the same order, rounded to the steps of its file (16 or 24 bits).
        The first samples of a clip of a whole file equal :func:`notedecay.audio.prime_of` of
        that file.

    Raises
    ------
    UserError
        A recording cannot be read.
    """

    @lru_cache(maxsize=1)  # the notes of a run follow each other
    def cleaned(file: str) -> Samples:
        return audio.cleaned(audio.read(data_dir / file), rate=rate, highpass_hz=highpass_hz)

    for note in notes:
        yield Clip(note.id, note.pitch, _cut(cleaned(note.file), note, rate, seconds), rate)


def write_clips(clips: Iterable[Clip], path: Path) -> None:
    """Write clips as ``.npz`` without pickle, atomically, with one of them in memory at a time."""
    rows: list[tuple[str, int, int, int]] = []
    # The samples go to a file of their own first: the head of an array holds its length.
    with replacing(path) as partial, tempfile.TemporaryFile(dir=path.parent) as samples:
        for clip in clips:
            samples.write(np.asarray(clip.samples, dtype=np.float32).tobytes())
            rows.append((clip.id, clip.pitch, len(clip.samples), clip.rate))
        samples.seek(0)
        with zipfile.ZipFile(partial, "w") as archive:
            _write_samples(archive, samples, sum(length for _, _, length, _ in rows))
            for i, (name, kind) in enumerate(COLUMNS.items()):
                column: NDArray[Any] = np.array([row[i] for row in rows], kind)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, column, allow_pickle=False)


def read_clips(path: Path) -> list[Clip]:
    """Read clips; their samples are mapped from the file, and a change of them stays in memory.

    Raises
    ------
    UserError
        No such file, or not one of clips. Damaged samples are found by :func:`check_clips` alone.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        ids, pitches, lengths, rates = (_column(archive, name) for name in COLUMNS)
        samples, ends = _mapped(path), np.cumsum(lengths)
        if lengths.min(initial=0) < 0 or lengths.sum() != len(samples):
            raise ValueError("lengths and samples do not fit")
        columns = (ids, pitches, rates, ends - lengths, ends)
        return [
            Clip(str(id_), int(pitch), samples[start:end], int(rate))
            for id_, pitch, rate, start, end in zip(*columns, strict=True)
        ]


def check_clips(path: Path) -> None:
    """Compare a file of clips with the checksums in it, in constant memory.

    Raises
    ------
    UserError
        No such file, or one that is damaged.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise ValueError(f"{broken} is damaged")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the errors of reading a file of clips into one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such clips: run the prepare stage first") from error
    except (
        ValueError, KeyError, OSError, EOFError, TypeError, NotImplementedError, RuntimeError,
        zipfile.BadZipFile, struct.error,
    ) as error:  # fmt: skip
        raise UserError(f"{path} does not hold clips: run the prepare stage again") from error


def _write_samples(archive: zipfile.ZipFile, samples: IO[bytes], count: int) -> None:
    member = zipfile.ZipInfo(SAMPLES)
    member.extra = PADDING
    head = {"descr": "<f4", "fortran_order": False, "shape": (count,)}
    with archive.open(member, "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, head)
        shutil.copyfileobj(samples, stream)


def _column(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as member:
        column: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return column


def _mapped(path: Path) -> Samples:
    """The samples of a file as an array that is read where it is used.

    It can be written to, without an effect on the file: torch warns of arrays that cannot.
    """
    with path.open("rb") as stream:
        stream.seek(BEGIN)
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("no array where the samples begin")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        mapped = np.memmap(path, dtype, "c", offset=stream.tell(), shape=shape)
    if dtype != np.float32 or mapped.ndim != 1:
        raise ValueError("the samples are no row of 32-bit floats")
    return mapped.view(np.ndarray)


def _cut(cleaned: Samples, note: Note, rate: int, seconds: float) -> Samples:
    span = cleaned[round(note.start * rate) : round((note.start + note.seconds) * rate) + 1]
    return audio.from_onset(span, rate)[: round(seconds * rate)].copy()
