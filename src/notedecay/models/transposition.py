"""Transposed copies of notes as augmentation: resampled, so pitch and decay change together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import soxr

from notedecay.data.note import Clip


def with_transpositions(clips: Sequence[Clip], semitones: int) -> Iterator[Clip]:
    """Yield each note and its transpositions by resampling.

    A semitone up shortens the decay by 6 %, less than a listener can tell.

    Parameters
    ----------
    clips : sequence of Clip
        Notes.
    semitones : int
        Largest transposition up and down, in steps of one semitone; 0 adds none.

    Yields
    ------
    Clip
        ``2 * semitones + 1`` clips for each note, at its rate.
    """
    for clip in clips:
        for step in range(-semitones, semitones + 1):
            yield clip if step == 0 else _transposed(clip, step)


def _transposed(clip: Clip, step: int) -> Clip:
    """Transpose a note: resample it as if it had been recorded at another rate."""
    samples = soxr.resample(clip.samples, clip.rate * 2 ** (step / 12), clip.rate)
    return replace(clip, pitch=clip.pitch + step, samples=samples)
