"""Continuation of a recorded note: from its beginning to the whole note."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notedecay.audio import Recording, peak_of, prime_of, scaling_line, to_full_scale
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.models import Continuator

MAX_SECONDS = 60.0
MAX_SAMPLES = 100


@dataclass(frozen=True)
class Generated:
    """A note generated from a prime.

    Attributes
    ----------
    samples : ndarray of float32, shape (samples,)
        The prime as the model uses it, then the continuation: finite, within -1..1.
    rate : int
        Hz.
    prime_samples : int
        Where the continuation begins.
    conversions : list of str
        What was done to the recording to make it fit the model, and to the note to make it fit
        full scale.
    """

    samples: Samples
    rate: int
    prime_samples: int
    conversions: list[str]


def generate(model: Continuator[Any], recording: Recording, seconds: float) -> Generated:
    """Continue the note in a recording.

    Parameters
    ----------
    model : Continuator
        Fitted.
    recording : Recording
        Any rate and channel count; only the prime is used.
    seconds : float
        Length of the continuation (s), above 0 and up to 60.

    Returns
    -------
    Generated
        Prime and continuation.

    Raises
    ------
    UserError
        When the recording is silent or shorter than the prime, ``seconds`` out of range, or
        what the model makes is not finite.
    """
    prime, conversions, samples = _prepared(model, recording, seconds)
    continuation = model.continue_prime(prime, samples)
    [made] = _finished(prime, [continuation], model, conversions)
    return made


def draw(
    model: Continuator[Any], recording: Recording, seconds: float, *, count: int, seed: int
) -> list[Generated]:
    """Sample several continuations of a note, from the range of decays that fit the prime.

    Parameters
    ----------
    model : Continuator
        Fitted; one that predicts a range, such as ``modal``.
    recording, seconds
        As :func:`generate` takes them.
    count : int
        How many, 1 to 100.
    seed : int
        The same seed gives the same samples.

    Returns
    -------
    list of Generated

    Raises
    ------
    UserError
        As :func:`generate`, and for a model that predicts one continuation only.
    """
    if not 1 <= count <= MAX_SAMPLES:
        raise UserError(f"samples must be 1 to {MAX_SAMPLES}, got {count}")
    prime, conversions, samples = _prepared(model, recording, seconds)
    sampled = model.sample_continuations(prime, samples, count=count, seed=seed)
    return _finished(prime, sampled, model, conversions)


def _prepared(
    model: Continuator[Any], recording: Recording, seconds: float
) -> tuple[Samples, list[str], int]:
    """The prime, what was converted, and how many samples are to follow."""
    if not (math.isfinite(seconds) and 0 < seconds <= MAX_SECONDS):
        raise UserError(f"seconds must be above 0 and up to {MAX_SECONDS:g}, got {seconds:g}")
    signal = model.signal
    prime, conversions = prime_of(
        recording,
        rate=signal.rate,
        prime_seconds=signal.prime_seconds,
        highpass_hz=signal.highpass_hz,
    )
    return prime, conversions, round(seconds * signal.rate)


def _finished(
    prime: Samples,
    continuations: Sequence[Samples],
    model: Continuator[Any],
    conversions: list[str],
) -> list[Generated]:
    """Whole notes, scaled by one gain where the loudest of them would exceed full scale."""
    notes = [np.concatenate([prime, continuation]) for continuation in continuations]
    if not all(np.isfinite(note).all() for note in notes):
        raise UserError(
            f"{model.name} makes NaN or infinite samples of this prime: its weights, or the "
            "prime, are at fault: take another version of the model or another recording"
        )
    if (peak := peak_of(*notes)) > 1:
        conversions = [*conversions, scaling_line(peak, "the note made of it: peak")]
    rate = model.signal.rate
    return [Generated(note, rate, len(prime), conversions) for note in to_full_scale(*notes)]
