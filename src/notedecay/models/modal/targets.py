"""Training targets of the modal model: the measured decay of each partial of a prime."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from functools import cache as cache_once
from typing import NamedTuple

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from notedecay.audio.samples import Samples
from notedecay.core.digests import code_digest
from notedecay.metrics.decay import (
    SLOWEST_JUDGED_DB_PER_S,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics.partials import dominant_partials, frame_samples, known_partials
from notedecay.models.modal.aftersound import measure_aftersound
from notedecay.models.modal.augmentation import fit_modes, re_excite
from notedecay.models.modal.features import feature_count
from notedecay.models.modal.frontend import find_and_describe_partials
from notedecay.models.modal.partials import Array, Partials
from notedecay.models.note_cache import NoteCache

FAINT_WEIGHT = 0.2
"""Weight of a partial that is not among those by which a continuation is scored."""
MAX_DISTANCE_HZ, MAX_DISTANCE_SHARE = 4.0, 0.01
"""Distance up to which a partial of the prime is one of those (Hz, or share of its frequency)."""
HOLDS_DB = 6.0
"""A partial without a measurable decay that stays within this of its level is a held tone (dB)."""
ORIGINAL_SHARE = 1 / 3
"""Probability with which a note is trained as recorded instead of as a re-excited copy."""
MAX_PERSISTENT_DISTANCE_HZ = 15.0
"""A partial further from any partial of the continuation is a transient (Hz)."""


class Targets(NamedTuple):
    """Features and targets of a note's partials, each tensor (partials, ...), or stacked."""

    features: Tensor
    present: Tensor
    """1 for a partial, 0 for padding."""
    log_t60: Tensor
    censored: Tensor
    """1 for a held tone: its T60 is known to exceed ``log_t60``."""
    weight: Tensor
    """Weight of the decay time in the loss; 0 where it is unknown."""
    persists: Tensor
    """1 if the continuation has the partial too, 0 for a transient."""
    aftersound_depth_db: Tensor
    aftersound_t60: Tensor
    """As in :class:`notedecay.models.modal.aftersound.AftersoundTargets`."""


def partial_targets(partials: Partials, features: Array, after: Array, rate: int) -> Targets:
    """Measure how the partials of a prime decay in the true continuation.

    Parameters
    ----------
    partials : Partials
        Partials of the prime.
    features : ndarray of float64, shape (partials, features)
        Their features.
    after : ndarray of float64, shape (samples,)
        True continuation, at the level of the partials.
    rate : int
        Hz.

    Returns
    -------
    Targets
    """
    envelopes = partial_envelopes(after, rate, partials.frequency_hz)
    floors = envelope_floors(envelopes)
    t60 = decay_times(envelopes, floors)
    falls = is_judged(t60)
    level_db = 20 * np.log10(np.abs(partials.amplitude) + 1e-9)
    holds = ~falls & (np.median(envelopes, axis=1) - level_db > -HOLDS_DB)
    # A transient that has vanished is measured like any other partial: its decay time is that of
    # whatever lies at its frequency, so it is arbitrary. It keeps the small weight, since
    # `persists` attenuates transients anyway, and leaving them out would change every model.
    weight = np.where(_scored(partials, after, rate), 1.0, FAINT_WEIGHT) * (falls | holds)
    known = np.where(falls, t60, 60.0 / SLOWEST_JUDGED_DB_PER_S)
    distance = _nearest_hz(partials, known_partials(after, rate).frequency_hz)
    persists = distance <= MAX_PERSISTENT_DISTANCE_HZ
    present = np.ones(len(partials))
    aftersound = measure_aftersound(envelopes, floors, t60, level_db)
    arrays = (features, present, np.log(known), holds, weight, persists, *aftersound)
    return Targets(*(torch.from_numpy(np.asarray(array)).float() for array in arrays))


def note_targets(
    note: bytes, rate: int, prime_samples: int, augmentations: int, cache: NoteCache | None = None
) -> tuple[Targets, ...]:
    """Measure the targets of a note as recorded, and of re-excited copies of it.

    Parameters
    ----------
    note : bytes
        Its float32 samples, from the onset on.
    rate : int
        Hz.
    prime_samples : int
        Length of its prime.
    augmentations : int
        Number of re-excited copies.
    cache : NoteCache, optional
        Serves the targets of a note that it holds, and keeps those of others.

    Returns
    -------
    tuple of Targets
        The recorded note first. The same note gives the same copies, whatever the seed of a
        training: a search trains on it many times, and the cache serves all but the first. A
        note without modes that beat is repeated instead.
    """
    if cache is None:
        return _measured(note, rate, prime_samples, augmentations)
    head = f"{rate} {prime_samples} {augmentations} ".encode()
    version, key = _version(), hashlib.sha256(head + note).hexdigest()
    held = cache.read(version, key)
    if held is None:
        measured = _measured(note, rate, prime_samples, augmentations)
        cache.write(version, key, _joined(measured))
        return measured
    return _parted(held)


@cache_once
def _version() -> str:
    """Version of all that targets depend on but the note: this code, and the libraries'."""
    code = code_digest(["notedecay.models.modal.targets"])
    return f"modal-{code}-numpy-{np.__version__}-scipy-{scipy.__version__}"


def _joined(copies: Sequence[Targets]) -> dict[str, NDArray[np.generic]]:
    """Join the copies of a note to one array of each kind, with the partials of each copy."""
    joined = Targets(*(torch.cat(column) for column in zip(*copies, strict=True)))
    arrays = {name: tensor.numpy() for name, tensor in joined._asdict().items()}
    return {"partials": np.array([len(copy.present) for copy in copies]), **arrays}


def _parted(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[Targets, ...]:
    """Undo :func:`_joined`."""
    partials = arrays["partials"].tolist()
    columns = (torch.split(torch.from_numpy(arrays[name]), partials) for name in Targets._fields)
    return tuple(Targets(*copy) for copy in zip(*columns, strict=True))


def _measured(
    note: bytes, rate: int, prime_samples: int, augmentations: int
) -> tuple[Targets, ...]:
    """Measure the targets of a note and its copies."""
    samples = np.frombuffer(note, dtype=np.float32)
    partials, original = _copy_targets(samples, rate, prime_samples)
    if not augmentations:
        return (original,)
    signal = samples.astype(np.float64)
    modes = fit_modes(signal, rate, partials.frequency_hz)
    if not len(modes.pole):
        return (original,) * (1 + augmentations)
    rng = np.random.default_rng(zlib.crc32(note))
    copies = (re_excite(signal, rate, modes, rng) for _ in range(augmentations))
    return (original, *(_copy_targets(copy, rate, prime_samples)[1] for copy in copies))


def split_at_prime(samples: Array | Samples, prime_samples: int) -> tuple[Array, Array]:
    """Split a note at the end of its prime, and divide both parts by the prime's peak.

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


def stack(notes: Sequence[Sequence[Targets]]) -> Targets:
    """Stack the targets of notes, padded to the same number of partials.

    Parameters
    ----------
    notes : sequence of sequence of Targets
        The same number of copies of each note.

    Returns
    -------
    Targets
        Tensors of shape (notes, copies, partials, ...).
    """
    if not notes:
        empty = [torch.zeros(0, 1, 0) for _ in Targets._fields[1:]]
        return Targets(torch.zeros(0, 1, 0, feature_count()), *empty)
    copies = [copy for note in notes for copy in note]
    pad = nn.utils.rnn.pad_sequence
    columns = (pad(list(column), batch_first=True) for column in zip(*copies, strict=True))
    return Targets(*(c.reshape(len(notes), -1, *c.shape[1:]) for c in columns))


def originals(notes: Targets) -> Targets:
    """Keep the recorded note of each, without the copies; shape (notes, partials, ...)."""
    return Targets(*(tensor[:, 0] for tensor in notes))


def sample_copies(notes: Targets, rng: torch.Generator) -> Targets:
    """Sample for each note either the recorded one or one of its re-excited copies.

    Parameters
    ----------
    notes : Targets
        From :func:`stack`.
    rng : torch.Generator
        On the CPU.

    Returns
    -------
    Targets
        Tensors of shape (notes, partials, ...).
    """
    count, copies = notes.present.shape[:2]
    if copies == 1:
        return originals(notes)
    chosen = torch.randint(1, copies, (count,), generator=rng)
    chosen[torch.rand(count, generator=rng) < ORIGINAL_SHARE] = 0
    each = torch.arange(count)
    return Targets(*(tensor[each, chosen.to(tensor.device)] for tensor in notes))


def _copy_targets(
    samples: Array | Samples, rate: int, prime_samples: int
) -> tuple[Partials, Targets]:
    """Find the partials of a note's prime and measure their targets."""
    prime = samples[:prime_samples].astype(np.float32)
    _, partials, features = find_and_describe_partials(prime, rate)
    _, after = split_at_prime(samples, prime_samples)
    return partials, partial_targets(partials, features, after, rate)


def _nearest_hz(partials: Partials, frequency_hz: Array) -> Array:
    """Compute the distance of each partial from the nearest of some frequencies (Hz)."""
    apart = np.abs(partials.frequency_hz[:, np.newaxis] - frequency_hz)
    return np.asarray(apart.min(axis=1, initial=np.inf))


def _scored(partials: Partials, after: Array, rate: int) -> Array:
    """Find the partials by which a continuation is scored: nearest to the note's strongest."""
    length, _ = frame_samples(rate)
    scored = dominant_partials(after, rate).frequency_hz if len(after) >= length else np.zeros(0)
    chosen = np.zeros(len(partials), dtype=bool)
    for frequency in scored:
        apart = np.abs(partials.frequency_hz - frequency)
        if apart.min(initial=np.inf) <= max(MAX_DISTANCE_HZ, MAX_DISTANCE_SHARE * frequency):
            chosen[int(apart.argmin())] = True
    return chosen
