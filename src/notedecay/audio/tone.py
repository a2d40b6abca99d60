"""Whether there is a note to continue, and not noise or a constant."""

from __future__ import annotations

import numpy as np
from scipy.signal import welch

from notedecay.notes.note import Samples

LOWEST_HZ = 35.0
LEAST_SHARE = 0.9
"""Of the energy, above the lowest frequency: real notes have 0.999 and more, a step 0.75."""
MOST_FLATNESS = 0.4
"""White noise has 0.44 and more, real notes up to 0.12 (0.33 where the rate cuts every partial
off)."""
_FRAME_SECONDS = 0.2


def has_tone(samples: Samples, rate: int) -> bool:
    """Whether a tone stands out of a spectrum.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        A prime, not silent.
    rate : int
        Hz.
    """
    frame = min(len(samples), round(_FRAME_SECONDS * rate))
    frequency_hz, power = welch(samples.astype(np.float64), rate, nperseg=frame, detrend=False)
    heard = power[frequency_hz >= LOWEST_HZ]
    if heard.sum() < LEAST_SHARE * power.sum():
        return False
    flatness = np.exp(np.log(np.maximum(heard, np.finfo(np.float64).tiny)).mean()) / heard.mean()
    return bool(flatness <= MOST_FLATNESS)
