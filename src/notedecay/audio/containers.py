"""Comparison of the length in a container's header with the bytes that follow it.

A program that streams cannot know the length when it writes the header: it leaves 0, -1 or
the largest number that fits. Others are a few bytes off. libsndfile understands some of these
headers in some containers; here all of them are mended before libsndfile sees them.

References
----------
Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF), 1991.
EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Apple "Audio Interchange File Format 1.3" and "Core
Audio Format Specification 1.0", Sonic Foundry "Wave 64", Sun ".au".
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

STREAMED_BYTES = 0x7F000000
"""A length from here on that the file does not have is a placeholder: no recording of 10 minutes
in up to 2^27 samples is so large."""
_MAX_CHUNKS = 10_000
_INHERITED_LENGTH = 0xFFFFFFFF
"""Of a ``data`` chunk in RF64: its length stands in the chunk ``ds64``."""


@dataclass(frozen=True)
class Promise:
    """What a header promises of the samples that follow.

    Attributes
    ----------
    lacking : int
        Bytes that are promised and missing; 0 where the length is right or unknown.
    available : int
        Bytes from the first sample to the end of the file.
    patches : mapping of int to bytes
        What must stand at which offset for the header to be true.
    """

    lacking: int = 0
    available: int = 0
    patches: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """Chunks of a container."""

    header: str
    """``struct`` format of a chunk's name and length."""
    first: int
    """Offset of the first chunk."""
    samples: bytes
    """Name of the chunk that holds the samples."""
    empty: int = 0
    """Its length when it holds none."""
    aligned: int = 2
    counts_header: bool = False
    """Whether a chunk's length includes its name and the length itself."""


@dataclass(frozen=True)
class _Length:
    """Where a header says how many bytes of samples follow."""

    at: int
    format: str
    value: int
    counted_from: int
    empty: int = 0


_WAVE_64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_RIFF = _Layout("<4sI", 12, b"data")
_LAYOUTS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"RIFX": _Layout(">4sI", 12, b"data"),
    b"FORM": _Layout(">4sI", 12, b"SSND", empty=8),
    b"caff": _Layout(">4sq", 8, b"data", empty=4, aligned=1),
    b"riff": _Layout("<16sq", 40, b"data" + _WAVE_64, empty=24, aligned=8, counts_header=True),
}


def is_known(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a container of chunks."""
    return head[:4] in _LAYOUTS or head[:4] == b".snd"


def promise(stream: BinaryIO) -> Promise:
    """Compare what a header promises with what follows it.

    Parameters
    ----------
    stream : binary stream
        At any position, which is kept; of any format.

    Returns
    -------
    Promise
        For a format without such a length, or one whose chunks cannot be followed, nothing is
        promised.
    """
    position = stream.tell()
    try:
        end = stream.seek(0, os.SEEK_END)
        magic = _bytes_at(stream, 0, 4)
        found = _sun(stream) if magic == b".snd" else _chunked(stream, magic, end)
        renamed = {0: b"RF64"} if magic == b"BW64" else {}  # the same format under its old name
        return _compared(stream, found, magic, end, renamed)
    finally:
        stream.seek(position)


def _compared(
    stream: BinaryIO, found: _Length | None, magic: bytes, end: int, renamed: Mapping[int, bytes]
) -> Promise:
    if found is None or found.counted_from >= end:
        return Promise(patches=renamed)
    available = end - found.counted_from
    is_short = 0 <= found.value <= available
    is_empty = is_short and found.value <= found.empty
    if is_short and not (is_empty and _are_samples(stream, found, magic, end)):
        return Promise(0, available, renamed)
    is_unknown = is_empty or not 0 <= found.value < STREAMED_BYTES
    lacking = 0 if is_unknown else found.value - available
    mended = {found.at: struct.pack(found.format, available)}
    return Promise(lacking, available, {**renamed, **mended})


def _chunked(stream: BinaryIO, magic: bytes, end: int) -> _Length | None:
    layout = _LAYOUTS.get(magic)
    if layout is None:
        return None
    order, name_bytes = layout.header[0], struct.calcsize(layout.header[:-1])
    inherited = None
    for at, name, value in _chunks(stream, layout, layout.first, end):
        payload = at + struct.calcsize(layout.header)
        if name == b"ds64":
            inherited = payload + 8  # the length of RIFF itself comes first
        elif name == layout.samples:
            if value == _INHERITED_LENGTH and inherited and magic in (b"RF64", b"BW64"):
                value = struct.unpack("<q", _bytes_at(stream, inherited, 8).ljust(8, b"\0"))[0]
                return _Length(inherited, "<q", value, payload)
            counted_from = at if layout.counts_header else payload
            length_format = order + layout.header[-1]
            return _Length(at + name_bytes, length_format, value, counted_from, layout.empty)
    return None


def _chunks(
    stream: BinaryIO, layout: _Layout, first: int, end: int
) -> Iterator[tuple[int, bytes, int]]:
    """Offset, name and length of each chunk."""
    size, at = struct.calcsize(layout.header), first
    for _ in range(_MAX_CHUNKS):
        if at + size > end:
            return
        name, value = struct.unpack(layout.header, _bytes_at(stream, at, size))
        yield at, name, value
        if value < 0:
            return
        at += max(size, value if layout.counts_header else size + value)
        at += -at % layout.aligned


def _are_samples(stream: BinaryIO, found: _Length, magic: bytes, end: int) -> bool:
    """Whether samples, and neither nothing nor further chunks, follow a length of zero."""
    behind = found.counted_from + found.empty
    layout = _LAYOUTS.get(magic)
    if behind >= end or layout is None:
        return behind < end
    size = struct.calcsize(layout.header)
    for at, name, value in _chunks(stream, layout, behind, end):
        is_name = all(32 <= byte < 127 for byte in name[:4])
        reach = at + value + (0 if layout.counts_header else size)
        if not is_name or not value >= 0 or reach > end:
            return True
        if reach + layout.aligned > end:
            return False
    return True


def _sun(stream: BinaryIO) -> _Length:
    first, value = struct.unpack(">II", _bytes_at(stream, 4, 8).ljust(8, b"\0"))
    return _Length(8, ">I", value, first)


def _bytes_at(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)
