"""Which notes are learned and which are unseen, so that in the end every note was unseen once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from notedecay.core.errors import UserError
from notedecay.data.note import Clip

OUTSIDE = 0.15
"""Share of the pitches at each end of the range that are kept for the question of range."""


@dataclass(frozen=True)
class Fold:
    """A way to divide the notes.

    Attributes
    ----------
    learned, unseen : tuple of str
        Ids; no pitch is in both.
    """

    learned: tuple[str, ...]
    unseen: tuple[str, ...]


def folds(clips: Sequence[Clip], count: int, seed: int) -> list[Fold]:
    """Divide notes by pitch; every pitch is unseen in just one fold.

    Neighbouring pitches go to different folds, in an order drawn anew for each stretch of
    ``count`` pitches.

    Parameters
    ----------
    clips : sequence of Clip
        All good notes of an instrument.
    count : int
        Of folds, 2 or more.
    seed : int
        The same notes and seed give the same folds.

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
    return [_divide(clips, {p for p, f in fold_of.items() if f == k}) for k in range(count)]


def outside(clips: Sequence[Clip]) -> Fold:
    """Learn the middle of the range; the lowest and the highest pitches are unseen."""
    pitches = sorted({clip.pitch for clip in clips})
    edge = max(1, round(OUTSIDE * len(pitches)))
    return _divide(clips, {*pitches[:edge], *pitches[-edge:]})


def _divide(clips: Sequence[Clip], unseen: set[int]) -> Fold:
    return Fold(
        tuple(clip.id for clip in clips if clip.pitch not in unseen),
        tuple(clip.id for clip in clips if clip.pitch in unseen),
    )
