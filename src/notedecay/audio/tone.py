"""Detection of a tone in a prime, as against noise or a constant."""

from __future__ import annotations

import numpy as np

from notedecay.audio.samples import Samples

MIN_HZ, DOUBTFUL_HZ = 22.5, 32.5
"""Between two bins of 5 Hz each. A0, alone, has nearly all its energy below the second; so has
a step whose rumble was taken away, but a step is soon over."""
MIN_SHARE = 0.9
"""Of the energy: a lone A0 has 0.97 above the lowest frequency, rumble of 20 Hz 0.17; above the
doubtful one real notes have 0.999 and more, a step 0.75."""
MIN_REMAINING_SHARE = 5e-3
"""Of the energy, in the second half: A0 has 0.36, a step 0.004 where noise is 50 dB below it."""
MAX_FLATNESS = 0.4
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
    from scipy.signal import welch

    frequency_hz, power = welch(samples.astype(np.float64), rate, nperseg=frame, detrend=False)
    audible, least = power[frequency_hz >= MIN_HZ], MIN_SHARE * power.sum()
    if audible.sum() < least:
        return False
    if power[frequency_hz >= DOUBTFUL_HZ].sum() < least and not _persists(samples):
        return False
    flatness = (
        np.exp(np.log(np.maximum(audible, np.finfo(np.float64).tiny)).mean()) / audible.mean()
    )
    return bool(flatness <= MAX_FLATNESS)


def _persists(samples: Samples) -> bool:
    energy = samples.astype(np.float64) ** 2
    return bool(energy[len(energy) // 2 :].sum() >= MIN_REMAINING_SHARE * energy.sum())
