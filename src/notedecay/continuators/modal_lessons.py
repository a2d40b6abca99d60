"""What a note teaches: how each partial of its prime really dies away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.analysis.decay import (
    SLOWEST_JUDGED_DB_PER_S,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.analysis.partials import dominant_partials, frame_samples, known_partials
from notedecay.continuators.modal_aftersound import bends
from notedecay.continuators.modal_analysis import Array, Partials

FAINT_WEIGHT = 0.2
"""Of a partial that is not among those by which a continuation is judged."""
NEAR_HZ, NEAR_SHARE = 4.0, 0.01
HOLDS_DB = 6.0
"""A partial that has no decay to measure and stays within this of its level holds its tone."""
LASTS_HZ = 15.0
"""Distance from the nearest partial of what follows; further ones sounded in the attack alone."""


class Lesson(NamedTuple):
    """Partials of a note, each tensor of shape (partials, ...), or of notes stacked."""

    features: Tensor
    present: Tensor
    """1 for a partial, 0 for what fills up a note of fewer."""
    log_t60: Tensor
    holds: Tensor
    """1 where the partial does not fall: its T60 is known to be longer than ``log_t60``."""
    weight: Tensor
    """Of the decay time; 0 where none is known."""
    lasts: Tensor
    """1 where the partial is one of what follows the prime too."""
    depth_db: Tensor
    after_t60: Tensor
    """What it falls to, as :class:`notedecay.continuators.modal_aftersound.Bends` has it."""


def lesson(partials: Partials, features: Array, after: Array, rate: int) -> Lesson:
    """Measure how the partials of a prime die away in what follows it.

    Parameters
    ----------
    partials : Partials
        Of the prime.
    features : ndarray of float64, shape (partials, features)
        What the net is told of them.
    after : ndarray of float64, shape (samples,)
        The true continuation, at the level of the partials.
    rate : int
        Hz.

    Returns
    -------
    Lesson
    """
    envelopes = partial_envelopes(after, rate, partials.frequency_hz)
    floors = envelope_floors(envelopes)
    t60 = decay_times(envelopes, floors)
    falls = is_judged(t60)
    level_db = 20 * np.log10(np.abs(partials.amplitude) + 1e-9)
    holds = ~falls & (np.median(envelopes, axis=1) - level_db > -HOLDS_DB)
    weight = np.where(_dominant(partials, after, rate), 1.0, FAINT_WEIGHT) * (falls | holds)
    known = np.where(falls, t60, 60.0 / SLOWEST_JUDGED_DB_PER_S)
    lasts = _nearest_hz(partials, known_partials(after, rate).frequency_hz) <= LASTS_HZ
    present = np.ones(len(partials))
    found = bends(envelopes, floors, t60, level_db)
    arrays = (features, present, np.log(known), holds, weight, lasts, *found)
    return Lesson(*(torch.from_numpy(np.asarray(array)).float() for array in arrays))


def stack(lessons: Sequence[Lesson]) -> Lesson:
    """Pad the lessons of notes to as many partials, shape (notes, partials, ...)."""
    if not lessons:
        return Lesson(*(torch.zeros(0, 0) for _ in Lesson._fields))
    pad = nn.utils.rnn.pad_sequence
    return Lesson(*(pad(list(column), batch_first=True) for column in zip(*lessons, strict=True)))


def _nearest_hz(partials: Partials, frequency_hz: Array) -> Array:
    """Distance of each partial from the nearest of some frequencies (Hz)."""
    apart = np.abs(partials.frequency_hz[:, np.newaxis] - frequency_hz)
    return np.asarray(apart.min(axis=1, initial=np.inf))


def _dominant(partials: Partials, after: Array, rate: int) -> Array:
    """Which partials a continuation is judged by: those nearest to the note's strongest."""
    length, _ = frame_samples(rate)
    wanted = dominant_partials(after, rate).frequency_hz if len(after) >= length else np.zeros(0)
    chosen = np.zeros(len(partials), dtype=bool)
    for frequency in wanted:
        apart = np.abs(partials.frequency_hz - frequency)
        if apart.min() <= max(NEAR_HZ, NEAR_SHARE * frequency):
            chosen[int(apart.argmin())] = True
    return chosen
