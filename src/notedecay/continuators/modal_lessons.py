"""What a note teaches: how each partial of its prime really dies away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.analysis.decay import (
    ABOVE_FLOOR_DB,
    FIT_RANGE_DB,
    STEP_SECONDS,
    WINDOW_SECONDS,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.analysis.partials import dominant_partials, frame_samples
from notedecay.continuators.modal_analysis import Array, Partials

POINTS = 12
"""On the line that the decay time is read from, and as many on the rest of the note."""
FAINT_WEIGHT = 0.2
"""Of a partial that is not among those by which a continuation is judged."""
NEAR_HZ, NEAR_SHARE = 4.0, 0.01


class Lesson(NamedTuple):
    """Partials of a note, each tensor of shape (partials, ...), or of notes stacked."""

    features: Tensor
    times: Tensor
    """From the joint (s): the first half on the line, the others on the rest."""
    level_db: Tensor
    """True level at these times, relative to the amplitude at the joint (dB)."""
    heard: Tensor
    """1 where the true level is the partial's and not the floor's."""
    log_t60: Tensor
    weight: Tensor
    """0 for what teaches nothing."""


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
    floors = envelope_floors(envelopes) + ABOVE_FLOOR_DB
    t60 = decay_times(envelopes, floors - ABOVE_FLOOR_DB)
    times = np.zeros((len(partials), 2 * POINTS))
    levels, heard = np.zeros_like(times), np.zeros_like(times)
    last = envelopes.shape[1] - 1
    for k, (envelope, floor) in enumerate(zip(envelopes, floors, strict=True)):
        end = _first_under(envelope, max(envelope[0] - FIT_RANGE_DB, floor))
        at = np.concatenate([np.linspace(0, end, POINTS), np.linspace(end, last, POINTS)])
        level = np.interp(at, np.arange(last + 1), envelope)
        times[k] = WINDOW_SECONDS / 2 + STEP_SECONDS * at
        levels[k] = level - 20 * np.log10(np.abs(partials.amplitude[k]) + 1e-9)
        heard[k] = (level > floor) | (np.arange(2 * POINTS) < POINTS)
    counts = is_judged(t60)
    weight = np.where(counts, np.where(_dominant(partials, after, rate), 1.0, FAINT_WEIGHT), 0.0)
    log_t60 = np.log(np.where(counts, t60, 1.0))
    arrays = (features, times, levels, heard, log_t60, weight)
    return Lesson(*(torch.from_numpy(array).float() for array in arrays))


def stack(lessons: Sequence[Lesson]) -> Lesson:
    """Pad the lessons of notes to as many partials, shape (notes, partials, ...)."""
    if not lessons:
        return Lesson(*(torch.zeros(0, 0) for _ in Lesson._fields))
    pad = nn.utils.rnn.pad_sequence
    return Lesson(*(pad(list(column), batch_first=True) for column in zip(*lessons, strict=True)))


def _first_under(envelope: Array, level_db: float) -> int:
    """Index of the last value before the envelope first falls to a level."""
    under = np.flatnonzero(envelope <= level_db)
    return max(1, int(under[0]) - 1) if under.size else len(envelope) - 1


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
