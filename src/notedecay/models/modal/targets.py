"""What a note teaches: how each partial of its prime really dies away."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.audio.samples import Samples
from notedecay.metrics.decay import (
    SLOWEST_JUDGED_DB_PER_S,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics.partials import dominant_partials, frame_samples, known_partials
from notedecay.models.modal.aftersound import bends
from notedecay.models.modal.augmentation import modes_of, played_again
from notedecay.models.modal.features import feature_count
from notedecay.models.modal.frontend import take_apart
from notedecay.models.modal.partials import Array, Partials

FAINT_WEIGHT = 0.2
"""Of a partial that is not among those by which a continuation is judged."""
NEAR_HZ, NEAR_SHARE = 4.0, 0.01
HOLDS_DB = 6.0
"""A partial that has no decay to measure and stays within this of its level holds its tone."""
AS_PLAYED = 1 / 3
"""Chance of learning from a note as it was played, instead of from another stroke."""
LASTS_HZ = 15.0
"""Distance from the nearest partial of what follows; further ones sounded in the attack alone."""


class Lesson(NamedTuple):
    """Partials of a stroke, each tensor of shape (partials, ...), or of strokes stacked."""

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
    """What it falls to, as :class:`notedecay.models.modal.aftersound.Bends` has it."""


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


@lru_cache(maxsize=256)
def lessons(note: bytes, rate: int, prime_samples: int, others: int) -> tuple[Lesson, ...]:
    """Learn from a note as it was played, and as other strokes might have had it.

    Parameters
    ----------
    note : bytes
        Its float32 samples, from the onset on.
    rate : int
        Hz.
    prime_samples : int
        Length of its prime.
    others : int
        Other strokes.

    Returns
    -------
    tuple of Lesson
        Of the note itself first. The same note gives the same, whatever the seed of a training:
        a search learns it many times. A note without modes that beat teaches itself again.
    """
    samples = np.frombuffer(note, dtype=np.float32)
    partials, played = _stroke(samples, rate, prime_samples)
    if not others:
        return (played,)
    signal = samples.astype(np.float64)
    modes = modes_of(signal, rate, partials.frequency_hz)
    if not len(modes.pole):
        return (played,) * (1 + others)
    chance = np.random.default_rng(zlib.crc32(note))
    again = (played_again(signal, rate, modes, chance) for _ in range(others))
    return (played, *(_stroke(one, rate, prime_samples)[1] for one in again))


def prime_and_after(samples: Array | Samples, prime_samples: int) -> tuple[Array, Array]:
    """Cut a note where its prime ends, at the level of the prime's partials.

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A note from its onset on.
    prime_samples : int
        Length of its prime.

    Returns
    -------
    prime : ndarray of float64, shape (prime_samples,)
        At a peak of 1, or silence.
    after : ndarray of float64, shape (samples - prime_samples,)
        Divided by the prime's peak.
    """
    scale = float(np.max(np.abs(samples[:prime_samples].astype(np.float32)), initial=1e-9))
    level = samples.astype(np.float64) / scale
    return level[:prime_samples], level[prime_samples:]


def stack(notes: Sequence[Sequence[Lesson]]) -> Lesson:
    """Pad the lessons of notes to as many partials.

    Parameters
    ----------
    notes : sequence of sequence of Lesson
        As many strokes of each.

    Returns
    -------
    Lesson
        Of shape (notes, strokes, partials, ...).
    """
    if not notes:
        nothing = [torch.zeros(0, 1, 0) for _ in Lesson._fields[1:]]
        return Lesson(torch.zeros(0, 1, 0, feature_count()), *nothing)
    strokes = [stroke for note in notes for stroke in note]
    pad = nn.utils.rnn.pad_sequence
    columns = (pad(list(column), batch_first=True) for column in zip(*strokes, strict=True))
    return Lesson(*(c.reshape(len(notes), -1, *c.shape[1:]) for c in columns))


def as_played(notes: Lesson) -> Lesson:
    """Keep the first stroke of each note, shape (notes, partials, ...)."""
    return Lesson(*(tensor[:, 0] for tensor in notes))


def one_stroke(notes: Lesson, chance: torch.Generator) -> Lesson:
    """Choose for each note as it was played, or another of its strokes.

    Parameters
    ----------
    notes : Lesson
        From :func:`stack`.
    chance : torch.Generator
        On the CPU.

    Returns
    -------
    Lesson
        Of shape (notes, partials, ...).
    """
    count, strokes = notes.present.shape[:2]
    if strokes == 1:
        return as_played(notes)
    chosen = torch.randint(1, strokes, (count,), generator=chance)
    chosen[torch.rand(count, generator=chance) < AS_PLAYED] = 0
    each = torch.arange(count)
    return Lesson(*(tensor[each, chosen.to(tensor.device)] for tensor in notes))


def _stroke(samples: Array | Samples, rate: int, prime_samples: int) -> tuple[Partials, Lesson]:
    """Partials of a note's prime, and what they teach."""
    _, partials, features = take_apart(samples[:prime_samples].astype(np.float32), rate)
    _, after = prime_and_after(samples, prime_samples)
    return partials, lesson(partials, features, after, rate)


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
        if apart.min(initial=np.inf) <= max(NEAR_HZ, NEAR_SHARE * frequency):
            chosen[int(apart.argmin())] = True
    return chosen
