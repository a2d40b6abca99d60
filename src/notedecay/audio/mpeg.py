"""MP3 files that libsndfile does not read as players do.

Players look for the first frame; libsndfile wants it, or an ID3 tag, at the very beginning.
Where no frame says how many there are, it takes the first one's length for that of all, and
ends too early.

References
----------
ISO/IEC 11172-3 and 13818-3 (frame header), ID3 tag version 2.4.0 (length of a tag), Xing's
header of variable bit rates (number of frames).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from notedecay.audio.containers import is_known

MAX_BYTES = 2**26
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
    """Make an MP3 file begin with its first frame, and say how many follow.

    Parameters
    ----------
    stream : binary stream
        At its beginning, and left there; of any format.

    Returns
    -------
    binary stream or None
        The frames; None where the file can be read as it is, or is no MP3.
    """
    head = stream.read(4)
    stream.seek(0)
    if is_known(head) or head in (b"fLaC", b"OggS"):
        return None
    tagged = _after_tags(stream)
    stream.seek(tagged)
    searched = stream.read(2 * _SEARCHED)
    first = _first_frame(searched)
    if first is None:
        stream.seek(0)
        return None
    stream.seek(tagged + first)
    data = stream.read(MAX_BYTES)
    stream.seek(0)
    counted = _counted(data)
    return io.BytesIO(counted + data) if counted or first else None


def _counted(data: bytes) -> bytes:
    """A frame of silence that says how many follow, where their lengths vary and none says it."""
    frames = list(_frames(data))
    is_told = any(mark in data[: frames[0][2]] for mark in (b"Xing", b"Info", b"VBRI"))
    if is_told or len({kbits for _, _, _, kbits in frames}) == 1:
        return b""
    header = bytes([0xFF, data[1] | 1, 9 << 4 | data[2] & 0x0C, data[3]])
    length = (_frame(header) or frames[0])[2]
    is_mono, is_first_version = data[3] >> 6 == 3, frames[0][0] == 3
    side_bytes = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
    before = header + bytes(side_bytes[is_first_version, is_mono])
    return (before + b"Xing" + struct.pack(">II", 1, len(frames))).ljust(length, b"\0")


def _frames(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Headers of the frames that follow each other from the beginning of ``data``."""
    at = 0
    while header := _frame(data[at : at + 4]):
        yield header
        at += header[2]


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
        version, rate, length, _ = header
        first = first or (version, rate)
        if first != (version, rate):
            return False
        at += length
    return True


def _frame(header: bytes) -> tuple[int, int, int, int] | None:
    """Version, rate (Hz), length (bytes) and bit rate of a frame of layer III, by 4 bytes."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, kbits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or not 0 < kbits < 15 or rate == 3:
        return None
    hz, bits = _RATES[version][rate], 1000 * _KBITS[3 if version == 3 else 0][kbits]
    length = (144 if version == 3 else 72) * bits // hz + (header[2] >> 1 & 1)
    return version, hz, length, bits
