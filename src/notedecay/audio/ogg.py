"""The last page of an Ogg file: missing in part where it is cut, not marked where it is a stream.

References
----------
RFC 3533, "The Ogg Encapsulation Format Version 0", section 6.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import BinaryIO

_MAX_PAGE_BYTES = 65_307
_IS_LAST = 4
_POLYNOMIAL = 0x04C11DB7


def breaks_off(stream: BinaryIO) -> bool:
    """Whether an Ogg file ends within a page; of any other file it is not asked."""
    if not _is_ogg(stream):
        return False
    _, page = _last_page(stream)
    return len(page) < _length(page)


def mended(stream: BinaryIO) -> Mapping[int, bytes]:
    """Mark the last page as the last, as a recorded stream does not: libsndfile wants it.

    Parameters
    ----------
    stream : binary stream
        Of any format; its position is kept.

    Returns
    -------
    mapping of int to bytes
        What must stand at which offset; nothing for other files.
    """
    if not _is_ogg(stream):
        return {}
    at, page = _last_page(stream)
    if len(page) < _length(page) or page[5] & _IS_LAST:
        return {}
    marked = bytearray(page[: _length(page)])
    marked[5] |= _IS_LAST
    marked[22:26] = bytes(4)
    checksum = _checksum(bytes(marked)).to_bytes(4, "little")
    return {at + 5: bytes(marked[5:6]), at + 22: checksum}


def _is_ogg(stream: BinaryIO) -> bool:
    position = stream.tell()
    stream.seek(0)
    magic = stream.read(4)
    stream.seek(position)
    return magic == b"OggS"


def _last_page(stream: BinaryIO) -> tuple[int, bytes]:
    """Offset of the last page, and what there is of it."""
    position = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    first = stream.seek(max(0, end - 2 * _MAX_PAGE_BYTES))
    data = stream.read(2 * _MAX_PAGE_BYTES)
    stream.seek(position)
    at = max(0, data.rfind(b"OggS"))
    return first + at, data[at:]


def _length(page: bytes) -> int:
    """Bytes of a page by its header; more than there are where the header itself is cut."""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return len(page) + 1
    return 27 + page[26] + sum(page[27 : 27 + page[26]])


def _checksum(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc


def _entry(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1 ^ _POLYNOMIAL if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


_TABLE = [_entry(byte) for byte in range(256)]
