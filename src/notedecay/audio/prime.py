"""The one way in which a recording is made ready for a model."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from notedecay.audio.recording import Recording, is_clipped, is_silent
from notedecay.audio.tone import has_tone
from notedecay.errors import UserError
from notedecay.notes.note import Samples

_SUSTAIN_MS, _ATTACK_MS, _WALK_MS, _MARGIN_MS = 50, 100, 20, 3
_SAID_SECONDS = 0.05
"""A shorter lead is what every recording has."""
_SUSTAIN_RATIO, _ATTACK_RATIO, _QUIET_RATIO, _OVER_FLOOR = 1e-2, 1e-2, 1e-4, 4.0


def mono(recording: Recording) -> Samples:
    """Mean of the channels, shape (samples,)."""
    return np.asarray(recording.samples.mean(axis=0), dtype=np.float32)


def resample(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """Change the sampling rate with soxr at its very high quality.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono.
    rate_in, rate_out : int
        Hz.

    Returns
    -------
    ndarray of float32, shape (about samples * rate_out / rate_in,)
        The input itself where the rates agree.
    """
    if rate_in == rate_out:
        return samples
    return np.asarray(soxr.resample(samples, rate_in, rate_out, quality="VHQ"), dtype=np.float32)


def highpass(samples: Samples, rate: int, corner_hz: float) -> Samples:
    """Take rumble away: Butterworth of order 4, forwards and backwards (zero phase).

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono.
    rate : int
        Hz.
    corner_hz : float
        6 dB down here, in Hz, below half the rate; 0 leaves the samples as they are.

    Returns
    -------
    ndarray of float32, shape (samples,)
    """
    if corner_hz <= 0 or len(samples) < 2:
        return samples
    sections = butter(4, corner_hz, "highpass", fs=rate, output="sos")
    # Three periods of the corner: the filter has settled before the first real sample.
    padding = min(len(samples) - 1, round(3 * rate / corner_hz))
    filtered = sosfiltfilt(sections, samples.astype(np.float64), padlen=padding)
    return np.asarray(filtered, dtype=np.float32)


def onset(samples: Samples, rate: int) -> int:
    """Find where a note begins, a few milliseconds before its attack.

    The note is there once the median energy of 50 ms comes within 20 dB of the largest, so
    that a click before it does not count; the attack is then placed to the millisecond.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono, high-passed, at least one sample.
    rate : int
        Hz.

    Returns
    -------
    int
        Index of the note's first sample.
    """
    hop = max(1, round(rate / 1000))
    if len(samples) < 2 * hop:
        return 0
    frames = samples[: len(samples) // hop * hop].astype(np.float64).reshape(-1, hop)
    energy = np.mean(frames**2, axis=1)
    sustained = _median_ahead(energy, _SUSTAIN_MS)
    start = int(np.argmax(sustained >= _SUSTAIN_RATIO * sustained.max()))
    near = energy[start : start + _ATTACK_MS]
    attack = start + int(np.argmax(near >= _ATTACK_RATIO * near.max()))
    floor = float(np.median(energy[:start])) if start else 0.0
    quiet = max(_QUIET_RATIO * float(near.max()), _OVER_FLOOR * floor)
    earliest = max(0, attack - _WALK_MS)
    still = np.flatnonzero(energy[earliest:attack] <= quiet)
    first = earliest + int(still[-1]) + 1 if len(still) else earliest
    return max(0, first - _MARGIN_MS) * hop


def cleaned(recording: Recording, *, rate: int, highpass_hz: float) -> Samples:
    """Make a whole recording what models hear, before it is cut: mono, resampled, high-passed.

    Training clips and primes are both cut from this, so that they agree to the sample.
    """
    return highpass(resample(mono(recording), recording.rate, rate), rate, highpass_hz)


def from_onset(samples: Samples, rate: int) -> Samples:
    """Cut what precedes the onset from ``samples`` (mono, at ``rate`` Hz)."""
    return samples[onset(samples, rate) :]


def prime_of(
    recording: Recording, *, rate: int, prime_seconds: float, highpass_hz: float
) -> tuple[Samples, list[str]]:
    """Make a prime ready from any recording of a note.

    Parameters
    ----------
    recording : Recording
        Any rate, any number of channels; silence may precede the note.
    rate : int
        The model's rate (Hz).
    prime_seconds : float
        Length of the prime, from the onset (s).
    highpass_hz : float
        Corner of the rumble filter (Hz).

    Returns
    -------
    prime : ndarray of float32, shape (round(prime_seconds * rate),)
        Mono, beginning at the onset.
    conversions : list of str
        What had to be done or is amiss, in plain words.

    Raises
    ------
    UserError
        The recording is silent, or the note in it is shorter than the prime.
    """
    _refuse_silent(recording)
    _refuse_cancelled(recording)
    samples = cleaned(recording, rate=rate, highpass_hz=highpass_hz)
    _refuse_silent(Recording(samples[np.newaxis], rate, recording.path))
    note = from_onset(samples, rate)
    needed = round(prime_seconds * rate)
    if len(note) < needed:
        raise UserError(
            f"{recording.name}: {len(note) / rate:.2f} s of note after the onset, "
            f"the prime needs {prime_seconds:.2f} s: give a longer recording"
        )
    prime = note[:needed].copy()
    done = _conversions(recording, rate, (len(samples) - len(note)) / rate)
    if not has_tone(prime, rate):
        done.append("warning: no tone stands out of the prime, what follows cannot be a note")
    return prime, done


def _refuse_silent(recording: Recording) -> None:
    if is_silent(recording):
        raise UserError(
            f"{recording.name} is silent (peak {recording.peak_dbfs:.0f} dBFS): "
            "give a recording of a note"
        )


def _refuse_cancelled(recording: Recording) -> None:
    if is_silent(Recording(mono(recording)[np.newaxis], recording.rate)):
        raise UserError(
            f"{recording.name}: its channels cancel when mixed to mono: give one channel alone"
        )


def _conversions(recording: Recording, rate: int, lead_seconds: float) -> list[str]:
    done = []
    channels = len(recording.samples)
    if channels > 1:
        done.append(f"{'stereo' if channels == 2 else f'{channels} channels'} mixed to mono")
    if recording.rate != rate:
        done.append(f"resampled {recording.rate} -> {rate} Hz")
    if lead_seconds >= _SAID_SECONDS:
        done.append(f"{lead_seconds:.2f} s before the note cut off")
    if is_clipped(recording):
        done.append("warning: the recording is clipped, its partials are not to be trusted")
    return done


def _median_ahead(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Median of each value and the ``width - 1`` that follow; what lies beyond counts as zero."""
    padded = np.concatenate((values, np.zeros(width - 1)))
    return np.asarray(np.median(sliding_window_view(padded, width), axis=1))
