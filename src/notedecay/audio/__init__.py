"""Reading and writing sound, and making a recording ready for a model."""

from notedecay.audio.prime import (
    cleaned,
    from_onset,
    highpass,
    mono,
    onset,
    prime_of,
    resample,
)
from notedecay.audio.recording import (
    SUFFIXES,
    Recording,
    encode,
    is_clipped,
    is_silent,
    read,
    read_bytes,
    write,
)

__all__ = [
    "SUFFIXES",
    "Recording",
    "cleaned",
    "encode",
    "from_onset",
    "highpass",
    "is_clipped",
    "is_silent",
    "mono",
    "onset",
    "prime_of",
    "read",
    "read_bytes",
    "resample",
    "write",
]
