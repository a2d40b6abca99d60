"""Selection of the part of a long recording that holds the beginning of its note."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
"""Consecutive samples, shape (samples, channels)."""

MAX_SECONDS = 30
MAX_SAMPLES = 2**23
"""Over all channels (32 MiB): half a minute of stereo at 96 kHz, 5 s of 8 channels at 192 kHz."""
NOTE_DBFS = -40.0
"""A block as loud as this is a note, and not the noise before it."""
LEAD_RATIO = 1e-2
"""What is 20 dB and more below the loudest precedes the note, as in the search for the onset."""
_MIN_BLOCKS = 2
_FRAMES = 50


class Head:
    """Blocks of a second, of which only those that a prime may need are kept.

    All are kept that fit into half a minute and 2^23 samples over all channels. Once no more
    fit, those that precede the note are let go, except for the last of them: it holds a soft
    beginning, and what the filters need to settle. Where all is quiet so far, a louder block
    begins anew, so that a note is found behind any lead.

    Whole seconds are let go, so that what is resampled stays on the grid of the whole recording.

    Parameters
    ----------
    rate, channels : int
        Of the recording (Hz, count).
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.blocks: list[Block] = []
        self._rate = rate
        self._room = max(_MIN_BLOCKS, min(MAX_SECONDS, MAX_SAMPLES // (rate * channels)))
        self._powers: list[float] = []
        self._first = 0
        self._seen = 0
        self._last: tuple[Block, float] | None = None

    @property
    def skipped_seconds(self) -> float:
        """How much precedes the blocks that are kept (s)."""
        return float(self._first)

    def takes(self, block: Block) -> bool:
        """Take the next block; False once no further one is needed."""
        power = sustained_power(block, self._rate)
        if len(self.blocks) == self._room:
            self._make_room(power)
        follows = self._seen == self._first + len(self.blocks)
        self._seen += 1
        self._last = block, power
        if follows and len(self.blocks) < self._room:
            self.blocks.append(block)
            self._powers.append(power)
            return True
        return max(self._powers) < 10 ** (NOTE_DBFS / 10)

    def _make_room(self, power: float) -> None:
        """Let go what precedes the note, where ``power`` is that of the block to come."""
        least = LEAD_RATIO * max(*self._powers, power)
        lead = next((n for n, p in enumerate(self._powers) if p >= least), self._room)
        if lead == self._room and self._last:
            self.blocks, self._powers = [self._last[0]], [self._last[1]]
            self._first = self._seen - 1
        elif self._seen == self._first + self._room:
            gone = max(0, lead - 1)
            del self.blocks[:gone], self._powers[:gone]
            self._first += gone


def sustained_power(block: Block, rate: int) -> float:
    """Largest power that lasts for 25 of 50 ms: a click does not count.

    Parameters
    ----------
    block : ndarray of float32, shape (samples, channels)
        At least one sample.
    rate : int
        Hz.

    Returns
    -------
    float
        Median power of 1 ms within 50 ms, the largest in the block; mean over the channels.
    """
    hop = max(1, round(rate / 1000))
    if len(block) < hop * _FRAMES:
        return float(np.mean(np.square(block, dtype=np.float64)))
    frames = len(block) // (hop * _FRAMES) * _FRAMES
    power = np.square(block[: frames * hop]).reshape(frames, -1).mean(axis=1, dtype=np.float64)
    return float(np.median(power.reshape(-1, _FRAMES), axis=1).max())
