"""From a recording of a note's beginning to the whole note."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notedecay.audio import Recording, peak_of, prime_of, read_bytes, scaling_line, to_full_scale
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.models import Continuator

LONGEST_SECONDS = 60.0
MOST_DRAWN = 100
LARGEST_PRIME_BYTES = 20_000_000
_BASE64 = re.compile(
    r"(data:[^,]*;base64,|b(?P<quote>['\"]))?(?P<digits>[A-Za-z0-9+/_-]*)={0,2}(?(quote)(?P=quote))",
    re.IGNORECASE,
)
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class Generated:
    """A note made from a prime.

    Attributes
    ----------
    samples : ndarray of float32, shape (samples,)
        The prime as the model heard it, then the continuation: finite, within -1..1.
    rate : int
        Hz.
    prime_samples : int
        Where the continuation begins.
    conversions : list of str
        What was done to the recording to make it fit the model, and to the note to make it fit
        full scale.
    """

    samples: Samples
    rate: int
    prime_samples: int
    conversions: list[str]


def generate(continuator: Continuator[Any], recording: Recording, seconds: float) -> Generated:
    """Continue the note in a recording.

    Parameters
    ----------
    continuator : Continuator
        Fitted.
    recording : Recording
        Any rate and channel count; only the prime is heard.
    seconds : float
        Length of the continuation (s), above 0 and up to 60.

    Returns
    -------
    Generated
        Prime and continuation.

    Raises
    ------
    UserError
        When the recording is silent or shorter than the prime, ``seconds`` out of range, or
        what the model makes is not finite.
    """
    prime, conversions, samples = _made_ready(continuator, recording, seconds)
    continuation = continuator.continue_prime(prime, samples)
    [made] = _generated(prime, [continuation], continuator, conversions)
    return made


def draw(
    continuator: Continuator[Any], recording: Recording, seconds: float, *, count: int, seed: int
) -> list[Generated]:
    """Continue the note in a recording in several ways, from the range that the prime leaves open.

    Parameters
    ----------
    continuator : Continuator
        Fitted; one that knows a range, such as ``modal``.
    recording, seconds
        As :func:`generate` takes them.
    count : int
        How many, 1 to 100.
    seed : int
        The same seed draws the same.

    Returns
    -------
    list of Generated

    Raises
    ------
    UserError
        As :func:`generate`, and for a continuator that knows one continuation only.
    """
    if not 1 <= count <= MOST_DRAWN:
        raise UserError(f"samples must be 1 to {MOST_DRAWN}, got {count}")
    prime, conversions, samples = _made_ready(continuator, recording, seconds)
    drawn = continuator.sample_continuations(prime, samples, count=count, seed=seed)
    return _generated(prime, drawn, continuator, conversions)


def _made_ready(
    continuator: Continuator[Any], recording: Recording, seconds: float
) -> tuple[Samples, list[str], int]:
    """The prime, what was done to it, and how many samples follow."""
    if not (math.isfinite(seconds) and 0 < seconds <= LONGEST_SECONDS):
        raise UserError(f"seconds must be above 0 and up to {LONGEST_SECONDS:g}, got {seconds:g}")
    signal = continuator.signal
    prime, conversions = prime_of(
        recording,
        rate=signal.rate,
        prime_seconds=signal.prime_seconds,
        highpass_hz=signal.highpass_hz,
    )
    return prime, conversions, round(seconds * signal.rate)


def _generated(
    prime: Samples,
    continuations: Sequence[Samples],
    continuator: Continuator[Any],
    conversions: list[str],
) -> list[Generated]:
    """Whole notes, scaled by one gain where the loudest of them would exceed full scale."""
    notes = [np.concatenate([prime, continuation]) for continuation in continuations]
    if not all(np.isfinite(note).all() for note in notes):
        raise UserError(
            f"{continuator.name} makes NaN or infinite samples of this prime: its weights, or the "
            "prime, are at fault: take another version of the model or another recording"
        )
    if (peak := peak_of(*notes)) > 1:
        conversions = [*conversions, scaling_line(peak, "the note made of it: peak")]
    rate = continuator.signal.rate
    return [Generated(note, rate, len(prime), conversions) for note in to_full_scale(*notes)]


def continue_encoded(continuator: Continuator[Any], prime: Any, seconds: float) -> Generated:
    """The same for a request: the recording as base64 of a WAV or FLAC file.

    Parameters
    ----------
    continuator, seconds
        As :func:`generate` takes them.
    prime : str or bytes
        As :func:`decoded` takes it; anything else is refused.

    Raises
    ------
    UserError
        As :func:`generate`, and for text that is not base64 or too large.
    """
    return generate(continuator, read_bytes(decoded(prime)), seconds)


def decoded(prime: Any) -> bytes:
    """Decode base64 in any form in which it is commonly sent.

    Parameters
    ----------
    prime : str or bytes
        With or without padding, in the standard or the URL-safe alphabet, in one line or many,
        as a data URI, or as Python prints bytes (``b'...'``).

    Returns
    -------
    bytes

    Raises
    ------
    UserError
        For anything else, and for more than 20 MB.
    """
    if not isinstance(prime, str | bytes):
        raise UserError("prime must be text: base64 of a WAV or FLAC file")
    if len(prime) > LARGEST_PRIME_BYTES:
        raise UserError(f"prime is larger than {LARGEST_PRIME_BYTES} bytes; send its first second")
    text = prime.decode("ascii", "replace") if isinstance(prime, bytes) else prime
    found = _BASE64.fullmatch("".join(text.split()))
    digits = found["digits"].translate(_URL_SAFE) if found else ""
    if found is None or len(digits) % 4 == 1:
        raise UserError("prime is not base64 of a WAV or FLAC file")
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
