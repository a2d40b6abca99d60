"""Cutting of chromatic runs, several notes in one recording, into single notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notedecay.audio import resample
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data.decay import HOP, levels
from notedecay.data.tuning import tune

ANALYSIS_RATE = 22_050
"""Rate (Hz) of the analysis: enough to tell neighbouring pitches apart, at half the work."""
RANGE_DB = 45.0
"""An attack that is weaker than the loudest one by more (dB) is handling noise."""
RISE_DB = 3.0
"""Smallest rise of a possible attack (dB)."""
MIN_NOTE_SECONDS = 0.5
"""Least distance of two notes of a run (s)."""
MATCH_WEIGHT_DB = 40.0
"""Weight of a perfect match with the pitch, in dB of attack strength."""
TUNED_CENTS = 100.0
"""Distance from the pitch (cents) from which on a match has no weight."""
NEAR = 0.1
"""Range around an attack in which its exact beginning is searched for (s)."""
RISE_MS, EARLY_MS = 15, 5
"""Energy is compared over a period of the lowest guitar string; the start lies this early."""
_BEFORE_FRAMES = 12


@dataclass(frozen=True)
class Cut:
    """Position of a note in a run: MIDI number, start and length in seconds."""

    pitch: int
    start: float
    seconds: float


def cut(samples: Samples, rate: int, pitches: Sequence[int]) -> list[Cut]:
    """Cut a run into the notes that its name lists.

    Attacks alone give hundreds of false notes, since the tails are full of handling noise.
    Dynamic programming therefore chooses one attack for each pitch of the name, in order, with
    the largest sum of attack strength and match with the pitch.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        The whole run, mono, high-passed.
    rate : int
        Hz.
    pitches : sequence of int
        MIDI numbers in the order played.

    Returns
    -------
    list of Cut
        One for each pitch; each begins a few milliseconds before its attack and ends where
        the next begins.

    Raises
    ------
    UserError
        The recording does not hold that many attacks.
    """
    coarse = resample(samples, rate, ANALYSIS_RATE)
    frames, strength = attacks(coarse)
    if len(frames) < len(pitches):
        raise UserError(
            f"{len(frames)} attacks where the name lists {len(pitches)} notes: "
            "cut the run by hand, one file for each note"
        )
    gain = strength[:, np.newaxis] + MATCH_WEIGHT_DB * _matches(coarse, frames, pitches)
    starts = [_start(coarse, frames[row] * HOP) for row in _best_path(frames, gain)]
    ends = [*starts[1:], len(samples) / rate]
    return [
        Cut(pitch, start, end - start)
        for pitch, start, end in zip(pitches, starts, ends, strict=True)
    ]


def attacks(samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find possible attacks.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        At 22,050 Hz.

    Returns
    -------
    frames : ndarray of int, shape (attacks,)
        In units of 10 ms.
    strength : ndarray of float64, shape (attacks,)
        By how much the next 50 ms are louder than the loudest of the 120 ms before (dB).
    """
    from scipy.signal import find_peaks

    level = levels(samples, ANALYSIS_RATE)
    level = np.maximum(level, level.max() - RANGE_DB)
    padded = np.concatenate((np.full(_BEFORE_FRAMES, level.min()), level))
    before = np.lib.stride_tricks.sliding_window_view(padded, _BEFORE_FRAMES)[: len(level)]
    # Windows of 50 ms that begin within the last five frames already hold the attack.
    rise = level - before[:, :-5].max(axis=1)
    frames, _ = find_peaks(np.concatenate(([0.0], rise, [0.0])), height=RISE_DB, distance=10)
    return frames - 1, rise[frames - 1]


def _start(samples: Samples, attack: float) -> float:
    """Begin (s) a few milliseconds before the steepest rise near an attack found to 10 ms.

    Unlike :func:`notedecay.audio.onset`, this works while the note before still rings.
    """
    hop = ANALYSIS_RATE // 1000
    reach, span = round(NEAR * ANALYSIS_RATE), RISE_MS * hop
    centre = round(attack * ANALYSIS_RATE)
    padded = np.pad(samples[: centre + reach + span], (reach + span, 0)).astype(np.float64)
    summed = np.concatenate(([0.0], np.cumsum(padded[centre:] ** 2)))[::hop]
    energy = summed[RISE_MS:] - summed[:-RISE_MS]
    quiet = 1e-4 * energy.max() + 1e-12
    rise = (energy[RISE_MS:] + quiet) / (energy[:-RISE_MS] + quiet)
    start = centre - reach + (int(np.argmax(rise)) - EARLY_MS) * hop
    return max(0, start) / ANALYSIS_RATE


def _matches(
    samples: Samples, frames: NDArray[np.int64], pitches: Sequence[int]
) -> NDArray[np.float64]:
    """How well what follows each attack agrees with each pitch, 0..1, (attacks, pitches)."""
    table = np.zeros((len(frames), len(pitches)))
    for row, frame in enumerate(frames):
        begin = round(frame * HOP * ANALYSIS_RATE)
        after = samples[begin : begin + ANALYSIS_RATE]
        for column, pitch in enumerate(pitches):
            found = tune(after, ANALYSIS_RATE, pitch)
            nearness = max(0.0, 1 - abs(found.cents) / TUNED_CENTS)
            table[row, column] = found.match * nearness
    return table


def _best_path(frames: NDArray[np.int64], gain: NDArray[np.float64]) -> list[int]:
    """Rising rows, one for each column of ``gain``, with the largest sum."""
    rows, columns = gain.shape
    gap = round(MIN_NOTE_SECONDS / HOP)
    total = np.full((rows, columns), -np.inf)
    previous = np.zeros((rows, columns), dtype=int)
    total[:, 0] = gain[:, 0]
    for column in range(1, columns):
        for row in range(1, rows):
            allowed = int(np.searchsorted(frames, frames[row] - gap, side="right"))
            if allowed:
                best = int(np.argmax(total[:allowed, column - 1]))
                total[row, column] = total[best, column - 1] + gain[row, column]
                previous[row, column] = best
    path = [int(np.argmax(total[:, -1]))]
    for column in range(columns - 1, 0, -1):
        path.append(int(previous[path[-1], column]))
    return path[::-1]
