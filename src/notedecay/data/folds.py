"""Folds by pitch: training, validation and unseen notes, so that every note is unseen once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from notedecay.core.errors import UserError
from notedecay.data.note import Clip

OUTSIDE = 0.15
"""Share of the pitches at each end of the range that are unseen in :func:`outside`."""


@dataclass(frozen=True)
class Fold:
    """A division of the notes; no pitch is in two parts.

    Attributes
    ----------
    train, validation, unseen : tuple of str
        Ids of notes.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    unseen: tuple[str, ...]


def folds(clips: Sequence[Clip], count: int, seed: int, validation: float) -> list[Fold]:
    """Divide notes by pitch; every pitch is unseen in exactly one fold.

    Each stretch of ``count`` neighbouring pitches is spread over the folds in random order. Of a
    fold's other pitches a share is validation pitches, one drawn from each stretch.

    Parameters
    ----------
    clips : sequence of Clip
        All good notes of an instrument.
    count : int
        Of folds, 2 or more.
    seed : int
        The same notes and seed give the same folds.
    validation : float
        Share of all pitches whose notes select the epoch, 0..0.5; at least one pitch.

    Raises
    ------
    UserError
        Fewer than two pitches for each fold.
    """
    pitches = sorted({clip.pitch for clip in clips})
    if len(pitches) < 2 * count:
        raise UserError(f"{len(pitches)} pitches are too few for {count} folds: add recordings")
    generator = np.random.default_rng(seed)
    fold_of: dict[int, int] = {}
    for start in range(0, len(pitches), count):
        stretch = pitches[start : start + count]
        fold_of |= dict(zip(stretch, generator.permutation(count).tolist(), strict=False))
    parts = [{p for p, f in fold_of.items() if f == k} for k in range(count)]
    return [_divide(clips, unseen, validation, generator) for unseen in parts]


def outside(clips: Sequence[Clip], seed: int, validation: float) -> Fold:
    """A fold that trains on the middle of the range; the lowest and highest pitches are unseen.

    Parameters
    ----------
    clips, seed, validation
        As of :func:`folds`.
    """
    pitches = sorted({clip.pitch for clip in clips})
    edge = max(1, round(OUTSIDE * len(pitches)))
    unseen = {*pitches[:edge], *pitches[-edge:]}
    return _divide(clips, unseen, validation, np.random.default_rng(seed))


def _divide(
    clips: Sequence[Clip], unseen: set[int], share: float, generator: np.random.Generator
) -> Fold:
    pitches = sorted({clip.pitch for clip in clips})
    others = [pitch for pitch in pitches if pitch not in unseen]
    held = max(1, min(round(share * len(pitches)), len(others) // 2))
    stretches = np.array_split(np.array(others), held)
    validation = {int(generator.choice(stretch)) for stretch in stretches}

    def ids(*, of: set[int]) -> tuple[str, ...]:
        return tuple(clip.id for clip in clips if clip.pitch in of)

    return Fold(ids(of=set(others) - validation), ids(of=validation), ids(of=unseen))
