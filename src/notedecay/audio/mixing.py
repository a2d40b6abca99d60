"""Mono mix of a recording, and the loss where its channels cancel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from notedecay.audio.recording import Recording, is_silent
from notedecay.audio.samples import Samples

Array = NDArray[np.float64]

CANCELLED_DB = 30.0
"""Loss by mixing to mono (dB) from which the mix no longer holds the note; opposite channels leave
only noise 40 dB below it."""
CANCELLING_DB = 6.0
"""Loss that causes a warning (dB): real stereo recordings lose 0.4 dB at most, unrelated channels
3 dB."""
_LOSS_BLOCK = 2**16


def mono(recording: Recording) -> Samples:
    """Mean of the channels, shape (samples,)."""
    return np.asarray(mixed(recording), dtype=np.float32)


def mixed(recording: Recording) -> Array:
    """Mean of the channels in double precision, shape (samples,)."""
    return np.asarray(recording.samples.mean(axis=0, dtype=np.float64))


def mono_loss_db(recording: Recording) -> float:
    """Loss of energy when the channels of a recording are mixed to mono.

    The energy of the mean of the channels is compared with the mean of their energies, without
    constant offsets. Unrelated channels lose 3 dB, however many they are: what more than
    two of them lose by dilution is not counted.

    Parameters
    ----------
    recording : Recording
        Any number of channels.

    Returns
    -------
    float
        dB, 0 or more: 0 for one channel and for equal ones, 3 for unrelated ones or for a single
        one that sounds, infinity for opposite ones. See :data:`CANCELLING_DB` and
        :data:`CANCELLED_DB`.
    """
    channels = len(recording.samples)
    apart = sum(_energy(channel) for channel in recording.samples) / channels
    together = _energy(mono(recording))
    if channels == 1 or apart == 0:
        return 0.0
    if together == 0:
        return math.inf
    dilution = max(1.0, channels / 2)
    return max(0.0, 10 * math.log10(apart / together / dilution))


def channels_cancel(recording: Recording, loss_db: float) -> bool:
    """Whether the mono mix of a recording, which loses ``loss_db``, is practically silent."""
    if loss_db >= CANCELLED_DB:
        return True
    return is_silent(Recording(mono(recording)[np.newaxis], recording.rate))


def _energy(channel: Samples) -> float:
    """Sum of squares about the mean, without a copy of the channel."""
    level = np.float32(channel.mean(dtype=np.float64))
    parts = (channel[at : at + _LOSS_BLOCK] - level for at in range(0, len(channel), _LOSS_BLOCK))
    return sum(float(np.dot(part, part)) for part in parts)
