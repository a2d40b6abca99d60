"""MP3 files with something before their first frame.

Players look for the first frame; libsndfile wants it, or an ID3 tag, at the very beginning.

References
----------
ISO/IEC 11172-3 and 13818-3 (frame header), ID3 tag version 2.4.0 (length of a tag).
"""

from __future__ import annotations

import io
from typing import BinaryIO

from notedecay.audio.containers import is_known

LARGEST_BYTES = 2**26
"""An MP3 file of 10 minutes has up to 24 MB."""
_SEARCHED = 2**16
_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_FRAMES_IN_A_ROW = 4
"""Chance makes no four headers that agree, each where the one before says that it ends."""


def mended(stream: BinaryIO) -> BinaryIO | None:
    """Find the first frame of an MP3 file that begins with something else.

    Parameters
    ----------
    stream : binary stream
        At its beginning, and left there; of any format.

    Returns
    -------
    binary stream or None
        The file from its first frame on; None where it can be read as it is, or is no MP3.
    """
    head = stream.read(_SEARCHED)
    stream.seek(0)
    if is_known(head) or head[:4] in (b"fLaC", b"OggS"):
        return None
    tagged = _after_tags(stream)
    stream.seek(tagged)
    searched = stream.read(2 * _SEARCHED)
    stream.seek(0)
    found = _first_frame(searched)
    if not found:  # none, or one right at the beginning
        return None
    stream.seek(tagged + found)
    data = stream.read(LARGEST_BYTES)
    stream.seek(0)
    return io.BytesIO(data)


def _after_tags(stream: BinaryIO) -> int:
    """Offset of what follows the ID3 tags at the beginning of a file."""
    at = 0
    while True:
        stream.seek(at)
        header = stream.read(10)
        if len(header) < 10 or header[:3] != b"ID3":
            return at
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if header[5] & 0x10 else 0)  # a footer


def _first_frame(data: bytes) -> int | None:
    """Offset of the first of several frames that follow each other."""
    at = data.find(b"\xff", 0, _SEARCHED)
    while at >= 0:
        if _frames_follow(data, at):
            return at
        at = data.find(b"\xff", at + 1, _SEARCHED)
    return None


def _frames_follow(data: bytes, at: int) -> bool:
    first: tuple[int, int] | None = None
    for _ in range(_FRAMES_IN_A_ROW):
        header = _frame(data[at : at + 4])
        if header is None:
            return False
        version, rate, length = header
        first = first or (version, rate)
        if first != (version, rate):
            return False
        at += length
    return True


def _frame(header: bytes) -> tuple[int, int, int] | None:
    """Version, rate (Hz) and length (bytes) of a frame of layer III, by its first 4 bytes."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, kbits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or not 0 < kbits < 15 or rate == 3:
        return None
    hz = _RATES[version][rate]
    per_second = (144 if version == 3 else 72) * 1000 * _KBITS[3 if version == 3 else 0][kbits]
    return version, hz, per_second // hz + (header[2] >> 1 & 1)
