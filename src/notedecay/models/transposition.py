"""Notes between and beside the recorded ones, by playing them faster or slower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import soxr

from notedecay.data.note import Clip


def with_transpositions(clips: Sequence[Clip], semitones: int) -> Iterator[Clip]:
    """Add to each note its transpositions.

    A semitone up shortens the decay by 6 %, less than a listener can tell.

    Parameters
    ----------
    clips : sequence of Clip
        The notes.
    semitones : int
        How far up and down, in steps of one; 0 adds nothing.

    Yields
    ------
    Clip
        ``2 * semitones + 1`` for each note, at its rate.
    """
    for clip in clips:
        for step in range(-semitones, semitones + 1):
            yield clip if step == 0 else _transposed(clip, step)


def _transposed(clip: Clip, step: int) -> Clip:
    """Resample a note as if it had been recorded at another rate."""
    samples = soxr.resample(clip.samples, clip.rate * 2 ** (step / 12), clip.rate)
    return replace(clip, pitch=clip.pitch + step, samples=samples)
