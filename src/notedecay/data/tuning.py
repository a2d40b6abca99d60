"""Fundamental frequency of a note by a fit of stretched partials near the named pitch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notedecay.audio.samples import Samples
from notedecay.data import pitch as pitches

Spectrum = NDArray[np.float64]

REACH_CENTS = 250
"""Range of the search on either side of the named pitch (cents)."""
MAX_HZ, MIN_PARTIALS = 2000.0, 8
"""Partials up to this frequency count, or at least so many: most energy of a low piano note lies in
its 5th to 40th partial."""
RANGE_DB = 50.0
"""Range under the strongest peak (dB); weaker peaks are noise as often as partials."""
PERIODS, MIN_SECONDS = 48, 0.25
"""Length of the window: periods of the note, but not under this many seconds."""
SETTLE = 0.03
"""Seconds after which the noise and the glide of the attack are over."""
INHARMONICITY = np.concatenate(([0.0], np.geomspace(3e-5, 1.2e-2, 24)))
"""Stiffness coefficients B tried; a piano's lie from 1e-4 (middle) to 1e-2 (top)."""
NEIGHBOUR = 5e-3
"""A partial counts as the neighbour of another from this share of the other's energy."""
_CENTS = np.arange(-REACH_CENTS, REACH_CENTS + 1, 2)


@dataclass(frozen=True)
class Tuning:
    """Fundamental of a note.

    Attributes
    ----------
    f0_hz : float
        Frequency (Hz).
    cents : float
        Above the named pitch, within 250 cents of it.
    match : float
        Share 0..1 of the spectrum's energy that lies on the note's partials.
    odd : float
        Share 0..1 that lies on the odd ones: next to none where the note sounds an octave higher.
    midway : float
        Share 0..1 that lies halfway between partials: much where the note sounds an octave lower.
    linked : float
        Share 0..1 of the partials' energy in partials that have a neighbour: next to none where
        only every third, fourth ... partial sounds, which are those of a higher note.
    """

    f0_hz: float
    cents: float
    match: float
    odd: float
    midway: float
    linked: float


def tune(samples: Samples, rate: int, pitch: int) -> Tuning:
    """Fit the partials of a stiff string, f_k = k f0 sqrt(1 + B k^2), near a named pitch.

    All partials count, so that a low piano note is measured although its fundamental is
    weak and its partials are stretched (Fletcher, JASA 36, 1964). ``librosa.yin`` looks at the
    period alone: of 258 single notes of piano, guitar, cello and flute it puts 26 more than 50
    cents from their names, this fit 13.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        From the onset on, mono, high-passed.
    rate : int
        Hz.
    pitch : int
        MIDI number of the name.

    Returns
    -------
    Tuning
        The best fundamental within 250 cents of the name.

    Examples
    --------
    A note 20 cents above A3 (220 Hz):

    >>> t = np.arange(8000) / 8000
    >>> note = sum(np.sin(2 * np.pi * k * 220 * 2 ** (20 / 1200) * t) / k for k in (1, 2, 3))
    >>> tune(note.astype(np.float32), 8000, 57).cents
    20.0
    """
    named = pitches.hz(pitch)
    level, step = spectrum(samples, rate, named)
    count = max(1, min(max(MIN_PARTIALS, int(MAX_HZ / named)), int(0.45 * rate / named)))
    k = np.arange(1, count + 1)
    f0 = named * 2 ** (_CENTS / 1200)
    stretch = k * np.sqrt(1 + INHARMONICITY[:, np.newaxis] * k**2)
    partials = f0[:, np.newaxis, np.newaxis] * stretch
    # A stretched series that runs out of the spectrum must not win by its missing partials.
    score = np.sum(_sample(level, partials / step) / np.sqrt(k), axis=-1)
    best = np.unravel_index(np.argmax(score), score.shape)
    cents = float(_CENTS[best[0]])
    series, spacing = partials[best] / step, named / step
    half = k - 0.5
    between = f0[best[0]] * half * np.sqrt(1 + INHARMONICITY[best[1]] * half**2) / step
    return Tuning(
        float(f0[best[0]]),
        cents,
        match=_share(level, series, spacing),
        odd=_share(level, series[::2], spacing),
        midway=_share(level, between, spacing / 2),
        linked=_linked(level, series, spacing),
    )


def spectrum(samples: Samples, rate: int, named_hz: float) -> tuple[Spectrum, float]:
    """Level of a note's beginning above 50 dB under its strongest partial.

    Returns
    -------
    level : ndarray of float64, shape (bins,)
        dB, 0 to 50.
    step : float
        Hz between bins.
    """
    skip = min(round(SETTLE * rate), len(samples) // 4)
    length = round(max(PERIODS / named_hz, MIN_SECONDS) * rate)
    window = samples[skip : skip + length].astype(np.float64)
    window *= np.hanning(len(window))
    size = 2 ** math.ceil(math.log2(4 * max(length, 2)))
    magnitude = np.abs(np.fft.rfft(window, size))
    floor = max(float(magnitude.max()), 1e-12) * 10 ** (-RANGE_DB / 20)
    return 20 * np.log10(np.maximum(magnitude, floor) / floor), rate / size


def _sample(level: Spectrum, bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level at fractional bins, zero beyond the spectrum."""
    return np.asarray(np.interp(bins, np.arange(len(level)), level, right=0.0))


def _linked(level: Spectrum, partials: NDArray[np.float64], spacing: float) -> float:
    """Share of the partials' energy that the first one and those with a neighbour have."""
    reach = _reach(partials, spacing)
    summed = np.concatenate(([0.0], np.cumsum(10 ** (level / 10) - 1)))
    first = np.clip(np.ceil(partials - reach), 0, len(level)).astype(int)
    last = np.clip(np.floor(partials + reach) + 1, first, len(level)).astype(int)
    energy = summed[last] - summed[first]
    below = np.concatenate(([np.inf], energy[:-1]))
    above = np.concatenate((energy[1:], [0.0]))
    linked = np.maximum(below, above) >= NEIGHBOUR * energy
    return float(energy[linked].sum() / max(float(energy.sum()), 1e-12))


def _share(level: Spectrum, partials: NDArray[np.float64], spacing: float) -> float:
    """Share of the energy within a quarter of the spacing, at most 60 cents, of a partial."""
    energy = 10 ** (level / 10) - 1
    bins = np.arange(len(level))
    reach = _reach(partials, spacing)
    near = np.any(np.abs(bins - partials[:, np.newaxis]) <= reach[:, np.newaxis], axis=0)
    return float(energy[near].sum() / max(float(energy.sum()), 1e-12))


def _reach(partials: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """Distance (bins) within which energy belongs to a partial: 60 cents or spacing / 4."""
    return np.minimum(spacing / 4, partials * (2 ** (60 / 1200) - 1))
