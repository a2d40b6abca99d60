"""Scoring of continuations against the original note."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics.decay import decay_times, envelope_floors, is_judged, partial_envelopes
from notedecay.metrics.noise import (
    beside_partials,
    envelope_db,
    frame_energy,
    slice_samples,
    tail_start,
)
from notedecay.metrics.partials import (
    candidate_partials,
    distances_cents,
    dominant_partials,
    known_partials,
)
from notedecay.metrics.scores import Scores, decay_credit, decay_ok, overall
from notedecay.metrics.spectra import Array, decibels, level_db, power_spectra

INAUDIBLE_DB = 100.0
"""Level under the note (dB) that counts as silence; it keeps means over notes finite."""

LSD_SECONDS, LSD_RANGE_DB = 0.064, 60.0
ENVELOPE_RANGE_DB = 50.0
JOIN_SECONDS = 0.05


class Reference:
    """An original from the end of its prime on, and all measures that depend on it alone.

    These are computed once, and serve to score any number of continuations.

    Parameters
    ----------
    original : ndarray of float, shape (samples,)
        The true continuation, 1 sample or more, finite. Notes shorter than 300 ms are scored
        over their length.
    rate : int
        Hz, 1000 or more.
    peak : float
        Largest absolute sample of the whole note, prime included; both signals are divided
        by it.

    Attributes
    ----------
    partials : Partials
        The dominant partials.
    t60 : ndarray of float64, shape (partials,)
        Their decay times (s), ``inf`` or ``nan``.
    judged : ndarray of bool, shape (partials,)
        Which of them fall by 3 dB/s or more.

    Raises
    ------
    ValueError
        Empty or non-finite original, rate or peak out of range.
    """

    def __init__(self, original: NDArray[np.floating], rate: int, peak: float) -> None:
        if not (np.size(original) and np.isfinite(original).all()):
            raise ValueError("the original is empty or not finite")
        if rate < 1000 or not (np.isfinite(peak) and peak > 0.0):
            raise ValueError(f"rate {rate} Hz or peak {peak} out of range")
        self.rate, self.peak = rate, peak
        self._original = o = np.asarray(original, np.float64) / peak
        self.partials = dominant_partials(o, rate)
        envelopes = partial_envelopes(o, rate, self.partials.frequency_hz)
        self._floors = envelope_floors(envelopes)
        self.t60 = decay_times(envelopes, self._floors)
        self.judged = is_judged(self.t60)
        self._beside = beside_partials(known_partials(o, rate), rate)
        self._first_energy = max(float(frame_energy(o, rate)[0]), 10 ** (-INAUDIBLE_DB / 10))
        self._noise_db = self._noise(o)
        self._spectra_db = self._log_spectra(o)
        self._envelope_db = envelope_db(o, rate)

    def score(self, generated: NDArray[np.floating]) -> Scores:
        """Score a continuation.

        Parameters
        ----------
        generated : ndarray of float, shape (samples,)
            As long as the original, at its rate and level. One that holds a value that is
            not finite cannot be played and is scored as silence, that is 0.

        Returns
        -------
        Scores

        Raises
        ------
        ValueError
            Other length than the original.

        Examples
        --------
        A copy is perfect, silence is worth nothing:

        >>> t = np.arange(2 * 8000) / 8000
        >>> note = 10 ** (-3 * t) * np.sin(2 * np.pi * 440 * t)
        >>> reference = Reference(note, 8000, peak=1.0)
        >>> reference.t60.round(2).tolist(), reference.judged.tolist()
        ([1.0], [True])
        >>> round(reference.score(note).score, 3), reference.score(0 * note).score
        (1.0, 0.0)
        """
        if np.shape(generated) != self._original.shape:
            raise ValueError(
                f"shape {np.shape(generated)} of the continuation differs from the original's "
                f"{self._original.shape}"
            )
        playable = np.isfinite(generated).all()
        g = np.asarray(generated, np.float64) / self.peak if playable else 0.0 * self._original
        cents = distances_cents(self.partials, candidate_partials(g, self.rate, self.partials))
        absent = np.isnan(cents)
        missing = float(absent.mean()) if cents.size else float("nan")
        pitch_cents = float("nan") if absent.all() else float(np.nanmedian(cents))
        ratios = self.t60_ratios(g)
        credit = decay_credit(ratios, absent[self.judged], missing)
        noise_db = self._noise(g)
        excess_db = noise_db - self._noise_db
        rms_db = self._envelope_distance(g)
        return Scores(
            missing=missing,
            pitch_cents=pitch_cents,
            decay_ok=decay_ok(ratios, missing),
            decay_credit=credit,
            noise_db=noise_db,
            excess_noise_db=excess_db,
            lsd_db=self._spectral_distance(g),
            tail_db=self._tail(g),
            join_snr_db=self._join(g),
            envelope_db=rms_db,
            score=overall(credit, missing, pitch_cents, rms_db, excess_db),
            judged=int(self.judged.sum()),
        )

    def t60_ratios(self, generated: Array) -> Array:
        """Ratio of T60 of a continuation to that of the original, at the original's frequencies.

        Parameters
        ----------
        generated : ndarray of float64, shape (samples,)
            A continuation divided by the original's peak.

        Returns
        -------
        ndarray of float64, shape (judged partials,)
            ``inf`` where it does not decay, ``nan`` where there is nothing to measure.
        """
        frequency_hz = self.partials.frequency_hz[self.judged]
        envelopes = partial_envelopes(generated, self.rate, frequency_hz)
        return decay_times(envelopes, self._floors[self.judged]) / self.t60[self.judged]

    def _noise(self, samples: Array) -> float:
        """Mean energy beside the partials relative to the original's first frame (dB)."""
        energy = float(frame_energy(samples, self.rate, self._beside).mean())
        return max(-INAUDIBLE_DB, float(10.0 * np.log10(max(energy, 1e-30) / self._first_energy)))

    def _log_spectra(self, samples: Array) -> Array:
        length = round(LSD_SECONDS * self.rate)
        return decibels(power_spectra(samples, length, length // 4))

    def _spectral_distance(self, generated: Array) -> float:
        """Log-spectral distance, both floored 60 dB under the original's maximum (dB)."""
        floor_db = self._spectra_db.max() - LSD_RANGE_DB
        wanted = np.maximum(self._spectra_db, floor_db)
        apart = np.maximum(self._log_spectra(generated), floor_db) - wanted
        return float(np.mean(np.sqrt(np.mean(apart**2, axis=1))))

    def _envelope_distance(self, generated: Array) -> float:
        """RMS difference of the envelopes, floored 50 dB under the original's maximum (dB)."""
        floor_db = self._envelope_db.max() - ENVELOPE_RANGE_DB
        wanted = np.maximum(self._envelope_db, floor_db)
        apart = np.maximum(envelope_db(generated, self.rate), floor_db) - wanted
        return float(np.sqrt(np.mean(apart**2)))

    def _tail(self, generated: Array) -> float:
        """Level over the original's after the note is over (dB)."""
        start = tail_start(self._envelope_db) * slice_samples(self.rate)
        levels = [level_db(x[start:]) for x in (generated, self._original)]
        audible, wanted = np.maximum(levels, -INAUDIBLE_DB)
        return float(audible - wanted)

    def _join(self, generated: Array) -> float:
        """Signal-to-error ratio of the first 50 ms (dB)."""
        opening = slice(0, round(JOIN_SECONDS * self.rate))
        wanted = self._original[opening]
        snr_db = level_db(wanted) - level_db(generated[opening] - wanted)
        return float(np.clip(snr_db, -INAUDIBLE_DB, INAUDIBLE_DB))
