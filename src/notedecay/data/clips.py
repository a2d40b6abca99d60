"""Clips of notes for training and evaluation, and their file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from notedecay import audio
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip, Note


def prepare_clips(
    data_dir: Path, notes: Sequence[Note], *, rate: int, seconds: float, highpass_hz: float
) -> list[Clip]:
    """Cut notes out of their cleaned recordings.

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

    Returns
    -------
    list of Clip
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

    return [Clip(n.id, n.pitch, _cut(cleaned(n.file), n, rate, seconds), rate) for n in notes]


def write_clips(clips: Sequence[Clip], path: Path) -> None:
    """Write clips of one rate as ``.npz`` without pickle, atomically."""
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez(
            stream,
            ids=np.array([clip.id for clip in clips], dtype=np.str_),
            pitches=np.array([clip.pitch for clip in clips], dtype=np.int64),
            lengths=np.array([len(clip.samples) for clip in clips], dtype=np.int64),
            rates=np.array([clip.rate for clip in clips], dtype=np.int64),
            samples=np.concatenate([np.zeros(0, np.float32), *(c.samples for c in clips)]),
        )


def read_clips(path: Path) -> list[Clip]:
    """Read clips.

    Raises
    ------
    UserError
        No such file, or not one of clips.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            samples, ends = held["samples"], np.cumsum(held["lengths"])
            if held["lengths"].sum() != len(samples):
                raise ValueError("lengths and samples do not fit")
            columns = (held["ids"], held["pitches"], held["rates"], ends - held["lengths"], ends)
            return [
                Clip(str(id_), int(pitch), samples[start:end], int(rate))
                for id_, pitch, rate, start, end in zip(*columns, strict=True)
            ]
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such clips: run the prepare stage first") from error
    except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} does not hold clips: run the prepare stage again") from error


def _cut(cleaned: Samples, note: Note, rate: int, seconds: float) -> Samples:
    span = cleaned[round(note.start * rate) : round((note.start + note.seconds) * rate) + 1]
    return audio.from_onset(span, rate)[: round(seconds * rate)].copy()
