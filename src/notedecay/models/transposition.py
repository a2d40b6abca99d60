"""Transposed copies of notes as augmentation: resampled, so pitch and decay change together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

import soxr

from notedecay.data.note import Clip

KEPT_BYTES = 2**28
"""Size of the copies that are kept (the piano's have 20 MB). Others are made anew for each use,
which takes 0.4 ms for a note of 1.5 s, a tenth of what an LSTM needs to learn from it."""


def with_transpositions(clips: Sequence[Clip], semitones: int) -> Sequence[Clip]:
    """Notes with their transpositions by resampling.

    A semitone up shortens the decay by 6 %, less than a listener can tell.

    Parameters
    ----------
    clips : sequence of Clip
        Notes.
    semitones : int
        Largest transposition up and down, in steps of one semitone; 0 adds none.

    Returns
    -------
    sequence of Clip
        ``2 * semitones + 1`` clips for each note, at its rate, from low to high. Only the first
        copies are kept in memory, up to :data:`KEPT_BYTES`.
    """
    return _Transpositions(clips, semitones, KEPT_BYTES)


class _Transpositions(Sequence[Clip]):
    def __init__(self, clips: Sequence[Clip], semitones: int, kept_bytes: int) -> None:
        self._clips, self._semitones = clips, semitones
        self._kept: dict[int, Clip] = {}
        self._room = kept_bytes

    def __len__(self) -> int:
        return len(self._clips) * (2 * self._semitones + 1)

    @overload
    def __getitem__(self, index: int) -> Clip: ...

    @overload
    def __getitem__(self, index: slice) -> list[Clip]: ...

    def __getitem__(self, index: int | slice) -> Clip | list[Clip]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        note, place = divmod(index, 2 * self._semitones + 1)
        step = place - self._semitones
        return self._clips[note] if step == 0 else self._copy(index, self._clips[note], step)

    def _copy(self, index: int, clip: Clip, step: int) -> Clip:
        """A copy that is kept, or made now."""
        if index in self._kept:
            return self._kept[index]
        copy = _transposed(clip, step)
        if copy.samples.nbytes <= self._room:
            self._room -= copy.samples.nbytes
            self._kept[index] = copy
        return copy


def _transposed(clip: Clip, step: int) -> Clip:
    """Transpose a note: resample it as if it had been recorded at another rate."""
    samples = soxr.resample(clip.samples, clip.rate * 2 ** (step / 12), clip.rate)
    return replace(clip, pitch=clip.pitch + step, samples=samples)
