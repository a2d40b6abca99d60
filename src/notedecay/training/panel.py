"""A fixed set of notes on which continuators are heard and judged, free-running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notedecay.analysis import Reference, Scores, attractor
from notedecay.continuators import Continuator
from notedecay.notes.note import Clip, Samples


@dataclass(frozen=True)
class Judged:
    """A continuation and what the measures say of it.

    Attributes
    ----------
    clip : Clip
        The note.
    continuation : ndarray of float32, shape (samples,)
        What the continuator made of the note's prime, to the note's end.
    scores : Scores
        Of the continuation against the note.
    """

    clip: Clip
    continuation: Samples
    scores: Scores


class Panel:
    """Notes with the analysis of their originals, made once and used for every continuator.

    Parameters
    ----------
    clips : sequence of Clip
        Longer than the prime.
    prime_samples : int
        Length of the prime.
    """

    def __init__(self, clips: Sequence[Clip], prime_samples: int) -> None:
        self.clips = list(clips)
        self.prime_samples = prime_samples
        self._references = [
            Reference(original, clip.rate, float(abs(clip.samples).max()))
            for clip, original in zip(self.clips, self.originals(), strict=True)
        ]

    def hear(self, continuator: Continuator[Any]) -> list[Samples]:
        """Continue every prime to its note's end."""
        primes = [c.samples[: self.prime_samples] for c in self.clips]
        lengths = [len(c.samples) - self.prime_samples for c in self.clips]
        return continuator.continue_primes(primes, lengths)

    def judge(self, continuator: Continuator[Any]) -> list[Judged]:
        """Continue every prime and score what came."""
        return self.compare(self.hear(continuator))

    def originals(self) -> list[Samples]:
        """What really follows each prime."""
        return [clip.samples[self.prime_samples :] for clip in self.clips]

    def compare(self, continuations: Sequence[Samples]) -> list[Judged]:
        """Score continuations, one per note, each as long as the original."""
        return [
            Judged(clip, made, reference.score(made))
            for clip, made, reference in zip(
                self.clips, continuations, self._references, strict=True
            )
        ]

    def attractor(self, judged: Sequence[Judged]) -> float:
        """Largest correlation between what was made from notes of different pitch."""
        one_each = {j.clip.pitch: j.continuation for j in judged}
        return attractor(list(one_each.values()), self.clips[0].rate)

    def decays(self, judged: Sequence[Judged]) -> tuple[list[float], list[float]]:
        """T60 (s) of every judged partial: of the originals, and of what was made."""
        true: list[float] = []
        made: list[float] = []
        for item, reference in zip(judged, self._references, strict=True):
            t60 = reference.t60[reference.judged]
            sound = item.continuation.astype(np.float64) / reference.peak
            true.extend(t60)
            made.extend(t60 * reference.t60_ratios(sound))
        return true, made


def spread(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Pick clips evenly over the pitches.

    Parameters
    ----------
    clips : sequence of Clip
        To choose from.
    count : int
        How many at most.

    Returns
    -------
    list of Clip
        From low to high, the same for the same input.
    """
    ordered = sorted(clips, key=lambda c: (c.pitch, c.id))
    if len(ordered) <= count:
        return ordered
    step = len(ordered) / count
    return [ordered[int((i + 0.5) * step)] for i in range(count)]
