"""Reading and writing of recordings, and their preparation for a model."""

from notedecay.audio.mixing import (
    CANCELLED_DB,
    CANCELLING_DB,
    channels_cancel,
    mono,
    mono_loss_db,
)
from notedecay.audio.prime import cleaned, from_onset, highpass, onset, prime_of, resample
from notedecay.audio.reading import SUFFIXES, read, read_bytes, read_head
from notedecay.audio.recording import (
    Recording,
    at_full_scale,
    is_clipped,
    is_silent,
    peak_of,
    scaling_line,
    to_full_scale,
)
from notedecay.audio.writing import encode, write

__all__ = [
    "CANCELLED_DB",
    "CANCELLING_DB",
    "SUFFIXES",
    "Recording",
    "at_full_scale",
    "channels_cancel",
    "cleaned",
    "encode",
    "from_onset",
    "highpass",
    "is_clipped",
    "is_silent",
    "mono",
    "mono_loss_db",
    "onset",
    "peak_of",
    "prime_of",
    "read",
    "read_bytes",
    "read_head",
    "resample",
    "scaling_line",
    "to_full_scale",
    "write",
]
