"""The preprocessing of the paper's authors, to run their experiments as they did.

Sander & Harder, "Learning the decay of a sound signal", 2016, and their code.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import decimate

from notedecay.audio.recording import Recording
from notedecay.audio.samples import Samples


def step(rate: int, highest_hz: float) -> int:
    """Decimation factor at ``rate`` Hz for pitches up to ``highest_hz``."""
    return int(rate // (2 * highest_hz))


def as_the_authors(recording: Recording, *, highest_hz: float, seconds: float) -> Samples:
    """Decimate the left channel causally, from the beginning of the file.

    Rumble and the silence before the attack are left in. The filter is a Chebyshev
    of type I and order 8 (0.05 dB) up to 0.8 of the new Nyquist frequency.

    Parameters
    ----------
    recording : Recording
        Of any rate.
    highest_hz : float
        Highest pitch of the instrument (Hz).
    seconds : float
        Length that is kept (s).

    Returns
    -------
    ndarray of float32, shape (samples,)
        At ``rate // step(rate, highest_hz)`` Hz; a short file gives fewer.
    """
    every = step(recording.rate, highest_hz)
    left = recording.samples[0].astype(np.float64)
    kept = decimate(left, every, n=8, ftype="iir", zero_phase=False) if every > 1 else left
    return np.asarray(kept[: round(seconds * recording.rate / every)], dtype=np.float32)
