"""Preparation of a recording for a model: resampling, high-pass filter, onset, prime."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from notedecay.audio.mixing import CANCELLING_DB, Array, channels_cancel, mixed, mono_loss_db
from notedecay.audio.prediction import continued
from notedecay.audio.recording import Recording, at_full_scale, is_clipped, is_silent
from notedecay.audio.samples import Samples
from notedecay.audio.tone import has_tone
from notedecay.core.errors import UserError

AnyFloat = TypeVar("AnyFloat", np.float32, np.float64)

_SUSTAIN_MS, _ATTACK_MS, _WALK_MS, _MARGIN_MS = 50, 100, 20, 3
_REPORTED_LEAD_SECONDS = 0.05
"""A shorter lead before the note (s) is not reported: every recording has one."""
_SUSTAIN_RATIO, _ATTACK_RATIO, _QUIET_RATIO, _OVER_FLOOR = 1e-2, 1e-2, 1e-4, 4.0

MAX_MISSING_SECONDS = 0.1
"""A prime that lacks less than this (s), and less than a third of its length, is completed by
linear prediction."""
_EARLIER_SECONDS = 0.02
"""A short note may be cut so much before its onset (s): the possible error of the onset."""


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

    Examples
    --------
    >>> len(resample(np.zeros(44100, np.float32), 44100, 8400))
    8400
    """
    return _resampled(samples, rate_in, rate_out)


def highpass(samples: Samples, rate: int, corner_hz: float) -> Samples:
    """Remove rumble by a Butterworth high-pass of order 4, forwards and backwards (zero phase).

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
    return np.asarray(_highpassed(samples.astype(np.float64), rate, corner_hz), dtype=np.float32)


def onset(samples: Samples, rate: int) -> int:
    """Find where a note begins, a few milliseconds before its attack.

    The note is there once the median energy of 50 ms comes within 20 dB of the largest, so
    that a click before it does not count; the attack is then placed to the millisecond.
    ``librosa.onset.onset_detect`` is made for music: on single notes of piano, guitar, cello
    and flute it answers 17 ms before to 46 ms behind this onset, in steps of 23 ms.

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

    Examples
    --------
    A tone after 0.5 s of silence begins there, to within 5 ms:

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> samples = np.concatenate([np.zeros(4000), tone]).astype(np.float32)
    >>> 0.495 <= onset(samples, 8000) / 8000 <= 0.5
    True
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
    """Mix a recording to mono, resample it, high-pass it, and round it to the file's own steps.

    Training clips and primes are both cut from this, so that they agree to the sample. All is
    computed in double precision and rounded once. The steps of a file of 16 bits are 10^10 times
    as large as the last bit of a double of full scale, in which instruction sets differ: only a
    sample that lies within that bit of the middle between two steps can still come out
    differently on another machine, one in 10^10.

    Parameters
    ----------
    recording : Recording
        Any rate, any number of channels.
    rate : int
        Of the result (Hz).
    highpass_hz : float
        Corner of the rumble filter (Hz); 0 leaves rumble in.

    Returns
    -------
    ndarray of float32, shape (about seconds * rate,)
        Multiples of ``2 ** (1 - recording.bits)``.

    Examples
    --------
    A constant offset is rumble, and is gone; what is left are steps of 16 bits:

    >>> offset = Recording(np.full((2, 44100), 0.25, np.float32), 44100, bits=16)
    >>> samples = cleaned(offset, rate=8400, highpass_hz=25.0)
    >>> len(samples), float(np.abs(samples[4000:4400]).max())
    (8400, 0.0)
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100, dtype=np.float32)
    >>> recording = Recording(tone[np.newaxis], 44100, bits=16)
    >>> steps = 2**15 * cleaned(recording, rate=8400, highpass_hz=25.0)
    >>> bool(np.all(steps == np.round(steps)))
    True
    """
    samples = _resampled(mixed(recording), recording.rate, rate)
    return _rounded(_highpassed(samples, rate, highpass_hz), recording.bits)


def from_onset(samples: Samples, rate: int) -> Samples:
    """Cut what precedes the onset from ``samples`` (mono, at ``rate`` Hz)."""
    return samples[onset(samples, rate) :]


def prime_of(
    recording: Recording, *, rate: int, prime_seconds: float, highpass_hz: float
) -> tuple[Samples, list[str]]:
    """Cut the prime out of a recording of a note.

    Parameters
    ----------
    recording : Recording
        Any rate, any number of channels; silence may precede the note. A note that lacks less
        than 0.1 s is begun up to 20 ms earlier, and continued by linear prediction.
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
        Conversions and warnings, one sentence each.

    Raises
    ------
    UserError
        The recording is silent or not finite, its channels cancel, or the note in it lacks
        0.1 s or more of the prime.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100, dtype=np.float32)
    >>> stereo = Recording(np.stack([tone, tone]), 44100)
    >>> prime, conversions = prime_of(stereo, rate=8400, prime_seconds=0.33, highpass_hz=25.0)
    >>> len(prime), conversions[:2]
    (2772, ['stereo mixed to mono', 'resampled 44100 -> 8400 Hz'])
    """
    recording = at_full_scale(recording)
    _refuse_silent(recording)
    loss_db = mono_loss_db(recording)
    _refuse_cancelled(recording, loss_db)
    samples = cleaned(recording, rate=rate, highpass_hz=highpass_hz)
    _refuse_silent(Recording(samples[np.newaxis], rate, recording.path))
    begins, needed = onset(samples, rate), round(prime_seconds * rate)
    _refuse_short(recording, len(samples) - begins, needed, rate)
    begins = _begun_earlier(begins, len(samples), needed, rate)
    prime = samples[begins : begins + needed].copy()
    done = _conversions(recording, rate, recording.skipped_seconds + begins / rate, loss_db)
    if lacking := needed - len(prime):
        added = continued(prime, lacking)
        prime = np.concatenate([prime, added])
        done.append(f"{lacking / rate:.3f} s missing at the end added by linear prediction")
    if not has_tone(prime, rate):
        done.append("warning: no tone stands out of the prime, what follows cannot be a note")
    return prime, done


def _resampled(samples: NDArray[AnyFloat], rate_in: int, rate_out: int) -> NDArray[AnyFloat]:
    """Samples at another rate, in the precision that they have."""
    if rate_in == rate_out:
        return samples
    resampled: NDArray[AnyFloat] = soxr.resample(samples, rate_in, rate_out, quality="VHQ")
    return resampled


def _highpassed(samples: Array, rate: int, corner_hz: float) -> Array:
    # Imported where it is used, here and below: it takes a second, and lists of notes need none.
    from scipy.signal import butter, sosfiltfilt

    if corner_hz <= 0 or len(samples) < 2:
        return samples
    sections = butter(4, corner_hz, "highpass", fs=rate, output="sos")
    # Three periods of the corner: the filter has settled before the first real sample.
    padding = min(len(samples) - 1, round(3 * rate / corner_hz))
    return np.asarray(sosfiltfilt(sections, samples, padlen=padding))


def _rounded(samples: Array, bits: int) -> Samples:
    """Samples as multiples of the smallest step of integers of so many bits."""
    steps = 2.0 ** (bits - 1)
    return np.asarray(np.round(samples * steps) / steps, dtype=np.float32)


def _refuse_silent(recording: Recording) -> None:
    if is_silent(recording):
        raise UserError(
            f"{recording.name} is silent (peak {recording.peak_dbfs:.0f} dBFS): "
            "give a recording of a note"
        )


def _refuse_cancelled(recording: Recording, loss_db: float) -> None:
    if channels_cancel(recording, loss_db):
        raise UserError(
            f"{recording.name}: its channels cancel when mixed to mono: give one channel alone"
        )


def _refuse_short(recording: Recording, available: int, needed: int, rate: int) -> None:
    if needed - available >= min(MAX_MISSING_SECONDS * rate, needed / 3):
        raise UserError(
            f"{recording.name}: {available / rate:.2f} s of note after the onset, "
            f"the prime needs {needed / rate:.2f} s: give a longer recording"
        )


def _begun_earlier(begins: int, available: int, needed: int, rate: int) -> int:
    """Where to cut a note that is a little shorter than the prime."""
    lacking = max(0, begins + needed - available)
    return begins - min(lacking, begins, round(_EARLIER_SECONDS * rate))


def _conversions(recording: Recording, rate: int, lead_seconds: float, loss_db: float) -> list[str]:
    done = list(recording.conversions)
    channels = len(recording.samples)
    if channels > 1:
        done.append(f"{'stereo' if channels == 2 else f'{channels} channels'} mixed to mono")
    if recording.rate != rate:
        done.append(f"resampled {recording.rate} -> {rate} Hz")
    if lead_seconds >= _REPORTED_LEAD_SECONDS:
        done.append(f"{lead_seconds:.2f} s before the note cut off")
    if is_clipped(recording):
        done.append("warning: the recording is clipped, its partials are not to be trusted")
    if loss_db >= CANCELLING_DB:
        done.append(
            f"warning: its channels cancel in part, {loss_db:.0f} dB are lost by mixing them: "
            "give one channel alone"
        )
    return done


def _median_ahead(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Median of each value and the ``width - 1`` that follow; what lies beyond counts as zero."""
    padded = np.concatenate((values, np.zeros(width - 1)))
    return np.asarray(np.median(sliding_window_view(padded, width), axis=1))
