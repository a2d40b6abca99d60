"""Recordings in memory, their peaks and their levels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError

SILENT_DBFS = -70.0
"""Ten steps of a 16-bit converter: no note is so soft."""
CLIPPED_RUN = 4
"""A full-scale 27 Hz tone stays on its largest 16-bit value for three samples at most."""
CLIPPED_DBFS = -0.3
"""Flat tops under this level come from quantisation, not from an overloaded converter."""
MAX_SAMPLE = 2.0**32
"""Integers of 32 bits stored as floats are smaller; what is larger is damage."""


@dataclass(frozen=True)
class Recording:
    """Samples of a file, at full scale.

    Attributes
    ----------
    samples : ndarray of float32, shape (channels, samples)
        Full scale is -1..1.
    rate : int
        Hz.
    path : Path or None
        Where it came from; None for bytes.
    skipped_seconds : float
        How much of the file precedes the first sample (s): a long silence at its head.
    conversions : tuple of str
        Changes made when the file was read, one sentence each.
    bits : int
        16 or 24: of a sample in the file. Lossy codecs count as 16, floats as 24.
    """

    samples: NDArray[np.float32]
    rate: int
    path: Path | None = None
    skipped_seconds: float = 0.0
    conversions: tuple[str, ...] = ()
    bits: int = 24

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path) if self.path else "the audio sent"

    @property
    def seconds(self) -> float:
        """Length (s)."""
        return float(self.samples.shape[1] / self.rate)

    @property
    def peak_dbfs(self) -> float:
        """Largest sample (dB re full scale), -inf for zeros."""
        return decibels(peak_of(self.samples))


def peak_of(*signals: NDArray[Any]) -> float:
    """Largest magnitude in any of the signals; 0 for none, NaN where one holds NaN."""
    ends = [end for x in signals if x.size for end in (x.max(), -x.min())]
    return float(np.max(ends, initial=0.0))


def to_full_scale(*signals: NDArray[Any]) -> list[NDArray[Any]]:
    """Scale signals together where one of them exceeds full scale, so that they keep their balance.

    Parameters
    ----------
    *signals : ndarray of float, any shapes
        Finite.

    Returns
    -------
    list of ndarray
        The signals themselves where none exceeds full scale; else the largest magnitude is 1.
    """
    peak = peak_of(*signals)
    return [x / peak for x in signals] if peak > 1 else list(signals)


def at_full_scale(recording: Recording) -> Recording:
    """Scale a recording whose peak exceeds full scale, as files of floats may hold it.

    A lossy codec overshoots by a per cent; a program that stores integers as floats writes
    peaks of 20000. Nothing is clipped, and the recording's ``conversions`` say what was done.

    Raises
    ------
    UserError
        NaN, infinite or impossibly large samples.
    """
    peak = peak_of(recording.samples)
    refuse_impossible(peak, recording.name)
    if peak <= 1.0:
        return recording
    scaled = np.asarray(to_full_scale(recording.samples)[0], dtype=np.float32)
    done = (*recording.conversions, scaling_line(peak))
    return replace(recording, samples=scaled, conversions=done)


def refuse_impossible(peak: float, name: str) -> None:
    """Refuse sound whose peak is NaN, infinite or larger than any way of storing sound allows."""
    if not math.isfinite(peak):
        raise UserError(f"{name} holds NaN or infinite samples: export it again")
    if peak > MAX_SAMPLE:
        raise UserError(f"{name} holds samples as large as {peak:.3g}: export it again")


def scaling_line(peak: float, subject: str = "peak") -> str:
    """Say that a signal of this peak was brought to full scale."""
    return f"{subject} {peak:.6g} is above full scale: scaled by {-decibels(peak):.1f} dB"


def is_silent(recording: Recording) -> bool:
    """Whether no sample rises above -70 dBFS."""
    return recording.peak_dbfs < SILENT_DBFS


def is_clipped(recording: Recording) -> bool:
    """Whether tops are cut off flat: four or more equal samples in a row at full scale."""
    if recording.peak_dbfs < CLIPPED_DBFS:
        return False
    return any(_longest_flat_top(channel) >= CLIPPED_RUN for channel in recording.samples)


def decibels(ratio: float) -> float:
    """A ratio of amplitudes in dB, -inf for 0."""
    return 20 * math.log10(ratio) if ratio > 0 else -math.inf


def _longest_flat_top(channel: Samples) -> int:
    """Longest run of equal samples at the channel's own largest magnitude."""
    top = np.abs(channel) >= np.max(np.abs(channel))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], top.astype(np.int8), [0]))))
    return int(np.max(edges[1::2] - edges[::2]))
