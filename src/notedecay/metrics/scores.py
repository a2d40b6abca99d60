"""Measures of a continuation, the score made of them, and means over notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.spectra import Array

INAUDIBLE_RATIOS = (0.75, 1.40)

HALF_CREDIT_RATIO = 1.4
HALF_CREDIT_CENTS = 20.0
HALF_CREDIT_DB = 10.0

MEASURES = (
    "score",
    "decay_ok",
    "decay_credit",
    "missing",
    "pitch_cents",
    "noise_db",
    "excess_noise_db",
    "lsd_db",
    "envelope_db",
    "tail_db",
    "join_snr_db",
)
"""The measures of :class:`Scores`, the most telling first."""


@dataclass(frozen=True)
class Scores:
    """Measures of a continuation; NaN where the note does not allow one.

    Attributes
    ----------
    missing : float
        Share of the original's dominant partials that the continuation lacks, 0..1.
    pitch_cents : float
        Median distance of the partials that it has (cents).
    decay_ok : float
        Share of the judged partials whose T60 a listener could not tell from the original's
        (ratio 0.75 to 1.40), times (1 - missing), 0..1.
    decay_credit : float
        The same with a soft edge, 0..1; see :func:`decay_credit`.
    noise_db : float
        Energy beside the original's partials, relative to the original's beginning (dB).
    excess_noise_db : float
        By how much that is more than the original has itself (dB).
    lsd_db : float
        Log-spectral distance (dB).
    tail_db : float
        Level relative to the original after the note is over (dB).
    join_snr_db : float
        Signal-to-error ratio of the first 50 ms (dB), within -100..100.
    envelope_db : float
        RMS difference of the broadband envelopes (dB).
    score : float
        All in one, 0 (useless) to 1 (perfect); see :func:`overall`.
    judged : int
        How many partials of the original fall fast enough to be judged.
    """

    missing: float
    pitch_cents: float
    decay_ok: float
    decay_credit: float
    noise_db: float
    excess_noise_db: float
    lsd_db: float
    tail_db: float
    join_snr_db: float
    envelope_db: float
    score: float
    judged: int


def decay_ok(t60_ratios: Array, missing: float) -> float:
    """Share of the judged partials with an audibly correct decay, times (1 - missing).

    Parameters
    ----------
    t60_ratios : ndarray of float64, shape (judged,)
        T60 of the continuation over that of the original; ``inf`` or ``nan`` is never right.
    missing : float
        Share of the dominant partials that the continuation lacks.

    Returns
    -------
    float
        0..1, NaN where no partial is judged.

    References
    ----------
    T. Tolonen and H. Järveläinen, "Perceptual study of decay parameters in plucked string
    synthesis", AES 109th Convention, 2000 (the range 0.75 to 1.40 is inaudible).

    Examples
    --------
    One of two decays is right, and a quarter of the partials is missing:

    >>> decay_ok(np.array([1.1, 2.0]), missing=0.25)
    0.375
    """
    if not t60_ratios.size:
        return float("nan")
    low, high = INAUDIBLE_RATIOS
    return float(np.mean((t60_ratios >= low) & (t60_ratios <= high))) * (1.0 - missing)


def decay_credit(t60_ratios: Array, absent: NDArray[np.bool_], missing: float) -> float:
    """Decay credit with a soft edge, which guides a search where decay_ok is flat.

    Each judged partial earns 1 for the right T60, one half for a T60 that is 1.4 times too
    long or too short, little for more, and nothing if it is missing or does not decay. The
    credit is their mean, times (1 - missing).

    Parameters
    ----------
    t60_ratios : ndarray of float64, shape (judged,)
        T60 of the continuation over that of the original.
    absent : ndarray of bool, shape (judged,)
        Which of these partials the continuation lacks.
    missing : float
        Share of all dominant partials that it lacks.

    Returns
    -------
    float
        0..1, NaN where no partial is judged.

    Examples
    --------
    >>> ratios = np.array([1.0, 1.4])
    >>> decay_credit(ratios, np.array([False, False]), missing=0.0)
    0.75
    """
    if not t60_ratios.size:
        return float("nan")
    falls = np.isfinite(t60_ratios) & ~absent
    away = np.log(t60_ratios[falls]) / np.log(HALF_CREDIT_RATIO)
    return float(np.sum(1.0 / (1.0 + away**2)) / t60_ratios.size) * (1.0 - missing)


def overall(
    decay: float, missing: float, pitch_cents: float, envelope_db: float, excess_noise_db: float
) -> float:
    """Product of four credits: the score by which the search and the gate decide.

    Decay: :func:`decay_credit`; (1 - missing) for a note of which no decay is judged, such as
    a flute's. Pitch: 1 / (1 + (cents / 20)^2), so that 5 cents, just noticeable, cost 6 %.
    Envelope: 10 / (10 + envelope_db). Noise: 10 / (10 + excess), none for less noise than the
    original has. The credits are multiplied, so that silence and a
    tone that never decays score 0 whatever their other credits are.

    Parameters
    ----------
    decay, missing, pitch_cents, envelope_db, excess_noise_db : float
        As in :class:`Scores`.

    Returns
    -------
    float
        0..1.

    Examples
    --------
    >>> overall(1.0, missing=0.0, pitch_cents=0.0, envelope_db=0.0, excess_noise_db=0.0)
    1.0
    >>> overall(1.0, missing=0.0, pitch_cents=20.0, envelope_db=10.0, excess_noise_db=10.0)
    0.125
    """
    kept = 1.0 if np.isnan(missing) else 1.0 - missing
    in_tune = 1.0 if np.isnan(pitch_cents) else 1.0 / (1.0 + (pitch_cents / HALF_CREDIT_CENTS) ** 2)
    level = HALF_CREDIT_DB / (HALF_CREDIT_DB + envelope_db)
    quiet = HALF_CREDIT_DB / (HALF_CREDIT_DB + max(0.0, excess_noise_db))
    return (kept if np.isnan(decay) else decay) * in_tune * level * quiet


def mean_scores(scores: Sequence[Scores]) -> dict[str, float]:
    """Mean of each measure over the notes that have it.

    Parameters
    ----------
    scores : sequence of Scores
        One per note.

    Returns
    -------
    dict of str to float
        Each of :data:`MEASURES`: its mean over the notes where it is not NaN, NaN if there
        are none. ``decay_ok`` and ``decay_credit`` leave out notes that do not decay,
        ``pitch_cents`` those of which every partial is missing (they count in ``missing``).
        Beside them ``notes``, ``notes_judged`` (with a decay to judge) and ``notes_pitched``
        (with a partial to tune by).
    """
    means = {measure: _mean([getattr(s, measure) for s in scores]) for measure in MEASURES}
    return means | {
        "notes": float(len(scores)),
        "notes_judged": float(sum(s.judged > 0 for s in scores)),
        "notes_pitched": float(sum(not np.isnan(s.pitch_cents) for s in scores)),
    }


def _mean(values: Sequence[float]) -> float:
    """Mean of what is not NaN, NaN of nothing."""
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")
