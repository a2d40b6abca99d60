"""Evaluation sets: notes that models continue, free-running, and the scores of what they made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.data.note import Clip
from notedecay.metrics import Reference, Scores, attractor
from notedecay.models import Continuator


@dataclass(frozen=True)
class ScoredContinuation:
    """A continuation and its scores.

    Attributes
    ----------
    clip : Clip
        The note.
    continuation : ndarray of float32, shape (samples,)
        What the model generated from the note's prime, to the note's end.
    scores : Scores
        Of the continuation against the note.
    """

    clip: Clip
    continuation: Samples
    scores: Scores


@dataclass(frozen=True)
class PartialDecay:
    """Decay of a partial, in an original and in its continuation.

    Attributes
    ----------
    note : str
        Id.
    pitch : int
        Of the note, MIDI.
    rank : int
        1 for the strongest partial.
    frequency_hz, level_db : float
        Of the original's partial (Hz, dB re the note's peak).
    t60, t60_made : float
        Decay time in the original and in the continuation (s); the latter is ``inf`` for a
        level that does not fall, ``nan`` for a partial that is not there.
    """

    note: str
    pitch: int
    rank: int
    frequency_hz: float
    level_db: float
    t60: float
    t60_made: float


class EvaluationSet:
    """Notes with the analysis of their originals, made once and used for every model.

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

    def continuations(self, model: Continuator[Any]) -> list[Samples]:
        """Continue every prime to its note's end."""
        primes = [c.samples[: self.prime_samples] for c in self.clips]
        lengths = [len(c.samples) - self.prime_samples for c in self.clips]
        return model.continue_primes(primes, lengths)

    def evaluate(self, model: Continuator[Any]) -> list[ScoredContinuation]:
        """Continue every prime and score the continuations."""
        return self.score(self.continuations(model))

    def originals(self) -> list[Samples]:
        """What follows each prime in the recording."""
        return [clip.samples[self.prime_samples :] for clip in self.clips]

    def score(self, continuations: Sequence[Samples]) -> list[ScoredContinuation]:
        """Score continuations, one per note, each as long as the original."""
        return [
            ScoredContinuation(clip, made, reference.score(made))
            for clip, made, reference in zip(
                self.clips, continuations, self._references, strict=True
            )
        ]

    def attractor(self, scored: Sequence[ScoredContinuation]) -> float:
        """Largest correlation between continuations of notes of different pitch."""
        one_each = {j.clip.pitch: j.continuation for j in scored}
        return attractor(list(one_each.values()), self.clips[0].rate)

    def partials(self, scored: Sequence[ScoredContinuation]) -> list[PartialDecay]:
        """Every evaluated partial of the originals, with its decay in the continuation."""
        return [
            partial
            for item, reference in zip(scored, self._references, strict=True)
            for partial in _partials(item, reference)
        ]


def _partials(item: ScoredContinuation, reference: Reference) -> Iterator[PartialDecay]:
    ranks = np.flatnonzero(reference.judged)
    sound = item.continuation.astype(np.float64) / reference.peak
    made = reference.t60[ranks] * reference.t60_ratios(sound)
    for rank, t60_made in zip(ranks, made, strict=True):
        yield PartialDecay(
            note=item.clip.id,
            pitch=item.clip.pitch,
            rank=int(rank) + 1,
            frequency_hz=float(reference.partials.frequency_hz[rank]),
            level_db=float(reference.partials.level_db[rank]),
            t60=float(reference.t60[rank]),
            t60_made=float(t60_made),
        )


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
    step = len(ordered) / max(1, count)
    return [ordered[int((i + 0.5) * step)] for i in range(count)]
