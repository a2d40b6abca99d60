"""Requests and answers as text: recordings in base64."""

from __future__ import annotations

import base64
import re
from typing import Any

from notedecay.audio import encode, read_bytes
from notedecay.core.errors import UserError
from notedecay.inference import Generated, generate
from notedecay.models import Continuator

MAX_PRIME_BYTES = 20_000_000
MAX_ROWS = 16
"""Rows of a request."""
_BASE64 = re.compile(
    r"(data:[^,]*;base64,|b(?P<quote>['\"]))?(?P<digits>[A-Za-z0-9+/_-]*)={0,2}(?(quote)(?P=quote))",
    re.IGNORECASE,
)
_URL_SAFE = str.maketrans("-_", "+/")


def continue_encoded(model: Continuator[Any], prime: Any, seconds: float) -> Generated:
    """Continue the note of a request.

    Parameters
    ----------
    model, seconds
        As :func:`notedecay.inference.generate` takes them.
    prime : str or bytes
        As :func:`decode_prime` takes it; anything else is refused.

    Raises
    ------
    UserError
        As :func:`notedecay.inference.generate`, and for text that is not base64 or too large.
    """
    return generate(model, read_bytes(decode_prime(prime)), seconds)


def decode_prime(prime: Any) -> bytes:
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
    if len(prime) > MAX_PRIME_BYTES:
        raise UserError(f"prime is larger than {MAX_PRIME_BYTES} bytes; send its first second")
    text = prime.decode("ascii", "replace") if isinstance(prime, bytes) else prime
    found = _BASE64.fullmatch("".join(text.split()))
    digits = found["digits"].translate(_URL_SAFE) if found else ""
    if found is None or len(digits) % 4 == 1:
        raise UserError("prime is not base64 of a WAV or FLAC file")
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)


def encode_note(note: Generated) -> str:
    """Encode a note as base64 of a 24-bit WAV file."""
    return base64.b64encode(encode(note.samples, note.rate)).decode()
