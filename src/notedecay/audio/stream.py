"""Binary streams with corrected headers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import BinaryIO

_MAX_READ_BYTES = 2**30
"""Damaged headers ask for more bytes than Python can count."""


class Patched:
    """A binary stream in which some bytes read as others; the file itself is left alone.

    libsndfile calls these methods from C, where an exception would be printed and lost: none
    raises. What went wrong is kept in ``failure``.

    Parameters
    ----------
    stream : binary stream
        That can seek.
    patches : mapping of int to bytes
        What stands at which offset.
    """

    def __init__(self, stream: BinaryIO, patches: Mapping[int, bytes]) -> None:
        self._stream = stream
        self._patches = patches
        self.failure: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset; damaged headers give impossible ones, which are not followed."""
        try:
            return self._stream.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self._stream.tell()

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._stream.tell()

    def read(self, count: int) -> bytes:
        """Read up to ``count`` bytes; none at the end, or where the file cannot be read."""
        at = self._stream.tell()
        try:
            data = self._stream.read(min(count, _MAX_READ_BYTES))
        except OSError as error:
            self.failure = error
            return b""
        for place, patch in self._patches.items():
            first, last = max(place, at), min(place + len(patch), at + len(data))
            if first < last:
                new = patch[first - place : last - place]
                data = data[: first - at] + new + data[last - at :]
        return data
