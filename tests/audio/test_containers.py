"""Headers that do not know the length: what a player plays is read, what is cut is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
import soundfile as sf

from notedecay import audio
from notedecay.core.errors import UserError
from tests.synthetic import damped

RATE = 22050
NOTE = damped([261.6, 523.2], [2.0, 1.5], seconds=2.0, rate=RATE)
BYTES = 2 * len(NOTE)


def encoded(
    kind: str, subtype: str = "PCM_16", *, endian: str = "FILE", channels: int = 1
) -> bytes:
    stream = io.BytesIO()
    sound = np.tile(NOTE[:, np.newaxis], channels)
    sf.write(stream, sound, RATE, format=kind, subtype=subtype, endian=endian)
    return stream.getvalue()


def put(data: bytes, at: int, layout: str, value: int) -> bytes:
    changed = bytearray(data)
    changed[at : at + struct.calcsize(layout)] = struct.pack(layout, value)
    return bytes(changed)


def riff(value: int) -> bytes:
    data = encoded("WAV")
    return put(data, data.index(b"data") + 4, "<I", value)


def riff_with_its_own_length(value: int) -> bytes:
    return put(riff(value), 4, "<I", (value + 36) % 2**32)


def big_endian_riff(value: int) -> bytes:
    data = encoded("WAV", endian="BIG")
    return put(data, data.index(b"data") + 4, ">I", value)


def extensible(value: int) -> bytes:
    data = encoded("WAVEX")
    return put(data, data.index(b"data") + 4, "<I", value)


def behind_other_chunks(value: int) -> bytes:
    data = encoded("WAV")
    at = data.index(b"data")
    data = data[:at] + b"LIST\x05\0\0\0abcde\0" + b"JUNK\x04\0\0\0data" + data[at:]
    return put(data, data.rindex(b"data", 0, 90) + 4, "<I", value)


def aiff(value: int) -> bytes:
    data = encoded("AIFF")
    return put(data, data.index(b"SSND") + 4, ">I", value + 8 if 0 < value < 2**30 else value)


def aiff_without_frames(value: int) -> bytes:
    data = put(aiff(value), 4, ">I", 0)
    return put(data, data.index(b"COMM") + 10, ">I", 0)


def aifc(value: int) -> bytes:
    data = encoded("AIFF", "FLOAT")
    length = BYTES + 8 + value if 0 < value < 2**30 else value
    return put(data, data.index(b"SSND") + 4, ">I", length)


def sun(value: int) -> bytes:
    return put(encoded("AU"), 8, ">I", value)


def rf64(value: int) -> bytes:
    data = encoded("RF64")
    return put(data, data.index(b"ds64") + 16, "<Q", value)


def bw64(value: int) -> bytes:
    return b"BW64" + rf64(value)[4:]


def w64(value: int) -> bytes:
    data = encoded("W64")
    return put(data, data.index(b"data") + 16, "<q", value + 24 if 0 < value < 2**30 else value)


def caf(value: int) -> bytes:
    data = encoded("CAF")
    return put(data, data.index(b"data") + 4, ">q", value + 4 if 0 < value < 2**30 else value)


NARROW = [riff, riff_with_its_own_length, big_endian_riff, extensible, behind_other_chunks]
NARROW += [aiff, aiff_without_frames, aifc, sun]
WIDE = [rf64, bw64, w64, caf]
UNKNOWN = [0, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFE, 0xFFFFFFFF]
Header = Callable[[int], bytes]


def clean(header: Header) -> np.ndarray:
    return audio.read_bytes(header(BYTES)).samples


@pytest.mark.parametrize("header", NARROW + WIDE)
def test_a_right_length_is_kept(header: Header) -> None:
    assert np.abs(clean(header)[0] - NOTE).max() < 2**-14
    assert clean(header).shape == (1, len(NOTE))


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("header", NARROW)
def test_a_stream_is_read_to_its_end(header: Header, value: int) -> None:
    assert np.array_equal(audio.read_bytes(header(value)).samples, clean(header))


@pytest.mark.parametrize("value", [0, 0x7FFFFFFF, 0xFFFFFFFF, 2**62, 2**63 - 1])
@pytest.mark.parametrize("header", WIDE)
def test_a_stream_in_a_wide_container_is_read_too(header: Header, value: int) -> None:
    assert np.array_equal(audio.read_bytes(header(value)).samples, clean(header))


@pytest.mark.parametrize(("header", "layout"), [(rf64, "<q"), (w64, "<q"), (caf, ">q")])
def test_a_length_of_minus_one_means_unknown(header: Header, layout: str) -> None:
    data = header(BYTES)
    at = {rf64: data.find(b"ds64") + 16, w64: data.find(b"data") + 16, caf: data.find(b"data") + 4}
    read = audio.read_bytes(put(data, at[header], layout, -1)).samples
    assert np.array_equal(read, clean(header))


@pytest.mark.parametrize("excess", [1, 2, 16, 1000, round(0.09 * 2 * RATE)])
@pytest.mark.parametrize("header", NARROW + WIDE)
def test_a_length_that_is_a_little_too_large_is_forgiven(header: Header, excess: int) -> None:
    assert np.array_equal(audio.read_bytes(header(BYTES + excess)).samples, clean(header))


@pytest.mark.parametrize("seconds", [0.21, 1.0, 60.0])
@pytest.mark.parametrize("header", NARROW + WIDE)
def test_a_file_that_lacks_more_is_truncated(header: Header, seconds: float) -> None:
    lacking = BYTES + round(seconds * 2 * RATE)
    with pytest.raises(UserError, match=r"^the audio sent is truncated: fetch or export it again$"):
        audio.read_bytes(header(lacking))


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("header", NARROW + WIDE)
def test_a_file_that_is_cut_is_truncated(header: Header, kept: float) -> None:
    data = header(BYTES)
    first = len(data) - (2 * BYTES if header is aifc else BYTES)
    with pytest.raises(UserError, match=r"truncated|holds no samples|not audio") as error:
        audio.read_bytes(data[: first + round(kept * (len(data) - first))])
    assert "\n" not in str(error.value)


def test_chunks_behind_an_empty_one_are_no_samples() -> None:
    head = riff(0)[:-BYTES]
    for behind in (b"", b"LIST\x04\0\0\0abcd", b"LIST\x04\0\0\0abcdid3 \x02\0\0\0xy"):
        with pytest.raises(UserError, match="holds no samples"):
            audio.read_bytes(head + behind)


def test_chunks_behind_the_samples_stay_out() -> None:
    data = riff(BYTES) + b"LIST\x04\0\0\0abcd"
    assert np.array_equal(audio.read_bytes(data).samples, clean(riff))


@pytest.mark.parametrize("frames", [0, 2**31, 2**36 - 1])
@pytest.mark.parametrize("channels", [1, 2])
def test_flac_of_unknown_length_is_read_to_its_end(frames: int, channels: int) -> None:
    data = bytearray(encoded("FLAC", channels=channels))
    data[21] = data[21] & 0xF0 | frames >> 32
    data[22:26] = struct.pack(">I", frames % 2**32)
    read = audio.read_bytes(bytes(data)).samples
    assert np.array_equal(read, audio.read_bytes(encoded("FLAC", channels=channels)).samples)
    assert read.shape == (channels, len(NOTE))


def test_flac_that_lacks_samples_is_truncated() -> None:
    data = encoded("FLAC")
    longer = put(data, 22, ">I", len(NOTE) + RATE)
    with pytest.raises(UserError, match="truncated"):
        audio.read_bytes(longer)
    nearly = put(data, 22, ">I", len(NOTE) + RATE // 20)
    assert audio.read_bytes(nearly).samples.shape == (1, len(NOTE))


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "GSM610"),
        ("WAV", "G721_32"),
        ("WAV", "NMS_ADPCM_16"),
        ("WAV", "NMS_ADPCM_24"),
        ("WAV", "NMS_ADPCM_32"),
        ("WAV", "IMA_ADPCM"),
        ("WAV", "MS_ADPCM"),
        ("AIFF", "GSM610"),
        ("AIFF", "DWVW_16"),
        ("AIFF", "DWVW_24"),
        ("AU", "G721_32"),
        ("AU", "G723_24"),
        ("AU", "G723_40"),
        ("CAF", "ALAC_16"),
        ("XI", "DPCM_16"),
    ],
)
def test_codecs_that_cannot_seek_are_read_forward(kind: str, subtype: str) -> None:
    read = audio.read_bytes(encoded(kind, subtype)).samples[0]
    assert len(NOTE) <= len(read) < len(NOTE) + 0.05 * RATE
    assert np.corrcoef(read[: len(NOTE)], NOTE)[0, 1] > 0.98


def test_an_adpcm_wav_of_a_stream_is_read() -> None:
    data = encoded("WAV", "IMA_ADPCM")
    streamed = put(data, data.index(b"data") + 4, "<I", 0xFFFFFFFF)
    assert np.array_equal(audio.read_bytes(streamed).samples, audio.read_bytes(data).samples)
    with pytest.raises(UserError, match="truncated"):
        audio.read_bytes(data[: len(data) // 2])
