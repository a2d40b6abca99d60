"""What files and pipes may hold, and what reading them may cost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.audio import reading
from notedecay.core.errors import UserError
from tests.synthetic import damped

RATE = 22050
NOTE = damped([261.6, 523.2], [2.0, 1.5], seconds=2.0, rate=RATE)
OPUS = damped([261.6, 523.2], [2.0, 1.5], seconds=2.0, rate=48000)
MODEL = {"rate": 8400, "prime_seconds": 0.33, "highpass_hz": 25.0}


def encoded(
    kind: str,
    subtype: str | None = None,
    sound: np.ndarray = NOTE,
    rate: int = RATE,
    **options: object,
) -> bytes:
    stream = io.BytesIO()
    sf.write(stream, sound, rate, format=kind, subtype=subtype, **options)
    return stream.getvalue()


WRITTEN = {
    ".wav": ("WAV", None),
    ".wave": ("WAV", None),
    ".bwf": ("WAV", None),
    ".rf64": ("RF64", None),
    ".w64": ("W64", None),
    ".aif": ("AIFF", None),
    ".aiff": ("AIFF", None),
    ".aifc": ("AIFF", "FLOAT"),
    ".caf": ("CAF", None),
    ".au": ("AU", None),
    ".flac": ("FLAC", None),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", None),
}


def test_every_suffix_is_known() -> None:
    assert set(WRITTEN) == set(audio.SUFFIXES)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_file_of_every_suffix_is_read(tmp_path: Path, suffix: str) -> None:
    kind, subtype = WRITTEN[suffix]
    sound, rate = (OPUS, 48000) if subtype == "OPUS" else (NOTE, RATE)
    path = tmp_path / f"C4{suffix}"
    path.write_bytes(encoded(kind, subtype, sound, rate))
    for recording in (audio.read(path), audio.read_head(path)):
        assert recording.samples.shape == (1, len(sound))
        assert (recording.rate, recording.path) == (rate, path)
        assert np.corrcoef(recording.samples[0], sound)[0, 1] > 0.999
    assert np.array_equal(audio.read(path).samples, audio.read_head(path).samples)


# Pipes


@pytest.mark.parametrize("read", [audio.read, audio.read_head])
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF", "OGG", "MP3", "CAF"])
def test_a_pipe_is_read(tmp_path: Path, kind: str, read: type) -> None:
    data = encoded(kind)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    piped = read(pipe)
    writer.join()
    assert np.array_equal(piped.samples, audio.read_bytes(data).samples)


def test_a_file_descriptor_is_read() -> None:
    data = encoded("WAV")
    program = (
        "import sys; from pathlib import Path; from notedecay import audio\n"
        "print(audio.read_head(Path('/dev/stdin')).samples.shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=data, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == f"(1, {len(NOTE)})"


def test_an_empty_pipe_and_an_endless_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"",))
    writer.start()
    with pytest.raises(UserError, match=r"pipe is empty \(0 bytes\)"):
        audio.read(pipe)
    writer.join()
    monkeypatch.setattr(reading, "MAX_PIPE_BYTES", 2**22)
    with pytest.raises(UserError, match="/dev/zero: more than 4 MiB come through this pipe"):
        audio.read(Path("/dev/zero"))


def test_a_failing_disk_is_named() -> None:
    class Failing(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            if self.tell() > 10_000:
                raise OSError(5, "Input/output error")
            return super().read(count)

    with pytest.raises(OSError, match="Input/output"):
        reading._decoded(Failing(encoded("WAV")), "note.wav")


# Lossy formats


def mp3(sound: np.ndarray = NOTE, rate: int = RATE) -> bytes:
    return encoded("MP3", None, sound, rate, bitrate_mode="CONSTANT", compression_level=0.5)


ID3 = b"ID3\x04\0\0\0\0\x10\0" + bytes(2048)


@pytest.mark.parametrize(
    "before",
    [ID3, ID3 + ID3, bytes(1), bytes(3000), ID3 + bytes(500), b"\xff\xfb\xff\x00 junk" * 9],
    ids=["tag", "two tags", "a zero", "zeros", "tag and zeros", "junk"],
)
@pytest.mark.parametrize("rate", [22050, 44100, 48000, 11025, 8000])
def test_mp3_is_read_from_its_first_frame(before: bytes, rate: int) -> None:
    data = mp3(damped([261.6], [2.0], seconds=2.0, rate=rate), rate)
    whole = audio.read_bytes(data).samples
    assert whole.shape == (1, 2 * rate)
    assert np.array_equal(audio.read_bytes(before + data).samples, whole)
    assert np.array_equal(audio.read_bytes(before + data + b"TAG" + bytes(125)).samples, whole)


@pytest.mark.parametrize("frames", [0, 2**32 - 1])
def test_mp3_whose_header_does_not_know_the_number_of_frames(frames: int) -> None:
    data = mp3()
    at = data.index(b"Info") + 8
    unknown = data[:at] + frames.to_bytes(4, "big") + data[at + 4 :]
    seconds = audio.read_bytes(unknown).seconds
    assert 2.0 <= seconds < 2.15


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_of_a_varying_bit_rate_that_no_frame_counts(rate: int, channels: int) -> None:
    noise = 0.1 * np.random.default_rng(9).standard_normal(rate)
    sound = np.concatenate([np.zeros(rate), noise, damped([261.6], [2.0], seconds=2.0, rate=rate)])
    data = encoded(
        "MP3",
        None,
        np.tile(sound[:, np.newaxis], channels),
        rate,
        bitrate_mode="VARIABLE",
        compression_level=0.5,
    )
    at = data.index(b"\xff", 4 + data.index(b"Xing"))
    while data[at + 1] & 0xE6 != 0xE2 or data[at + 1] != data[1]:
        at = data.index(b"\xff", at + 1)
    whole, uncounted = audio.read_bytes(data), audio.read_bytes(data[at:])
    assert whole.seconds == 4.0
    assert 4.0 <= uncounted.seconds < 4.15
    delay = 576  # of the encoder, which the header of the whole file takes away
    shifted = uncounted.samples[:, delay : delay + 4 * rate]
    np.testing.assert_allclose(shifted, whole.samples, atol=1e-3)


def without_last_mark(data: bytes) -> bytes:
    """An Ogg file whose last page is not marked as the last, as when a stream is recorded."""
    at = data.rindex(b"OggS")
    page = bytearray(data[at:])
    page[5] &= ~4
    page[22:26] = bytes(4)
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    page[22:26] = crc.to_bytes(4, "little")
    return data[:at] + bytes(page)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_of_a_stream_is_read_and_one_that_breaks_off_is_refused(subtype: str) -> None:
    data = encoded("OGG", subtype, OPUS, 48000)
    whole = audio.read_bytes(data).samples
    assert np.array_equal(audio.read_bytes(without_last_mark(data)).samples, whole)
    assert np.array_equal(audio.read_bytes(data + b"TAG" + bytes(125)).samples, whole)
    for kept in (0.3, 0.6, 0.99):
        with pytest.raises(UserError, match=r"truncated|malformed"):
            audio.read_bytes(data[: round(kept * len(data))])


# Bounds


@pytest.mark.parametrize("rate", [1, 100, 999, 768_001, 2_000_000, 2**31 - 1])
def test_impossible_rates_are_refused(rate: int) -> None:
    with pytest.raises(UserError, match=rf"sample rate of {rate} Hz, not one of 1000 to 768000"):
        audio.read_bytes(encoded("WAV", "PCM_16", NOTE, rate))


@pytest.mark.parametrize("rate", [1000, 4000, 8000, 96_000, 384_000, 768_000])
def test_possible_rates_are_read(rate: int) -> None:
    assert audio.read_bytes(encoded("WAV", "PCM_16", NOTE, rate)).rate == rate


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 16, 64])
def test_up_to_64_channels_are_read(channels: int) -> None:
    sound = np.tile(NOTE[:2000, np.newaxis], channels)
    assert len(audio.read_bytes(encoded("WAV", "PCM_16", sound)).samples) == channels


def test_more_channels_are_refused() -> None:
    with pytest.raises(UserError, match="has 65 channels, not 1 to 64"):
        audio.read_bytes(encoded("WAV", "PCM_16", np.zeros((9, 65))))
    with pytest.raises(UserError, match="64 channels at 192000 Hz, more than 8388608 samples a"):
        audio.read_bytes(encoded("WAV", "PCM_16", np.zeros((9, 64)), 192_000))


@pytest.mark.parametrize("read", [audio.read, audio.read_head])
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_more_than_ten_minutes_are_refused(tmp_path: Path, kind: str, read: type) -> None:
    path = tmp_path / "long"
    path.write_bytes(encoded(kind, None, np.zeros(601_000, np.int16), 1000))
    with pytest.raises(UserError, match="longer than 10 minutes: cut it to one note"):
        read(path)
    path.write_bytes(encoded(kind, None, np.tile(NOTE, 14)[:600_000], 1000))
    assert read(path).rate == 1000


def test_too_many_samples_over_all_channels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_SAMPLES", 4 * len(NOTE) - 1)
    path = tmp_path / "wide.flac"
    data = bytearray(encoded("FLAC", None, np.tile(NOTE[:, np.newaxis], 4)))
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="more than 176399 samples over 4 channels: cut it"):
        audio.read(path)
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # the same where the header does not know
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="more than 176399 samples over 4 channels: cut it"):
        audio.read(path)
    path.write_bytes(encoded("FLAC", None, np.tile(NOTE[:, np.newaxis], 3)))
    assert audio.read(path).samples.shape == (3, len(NOTE))


MEASURED = """
import resource, sys
from pathlib import Path
from notedecay import audio
from notedecay.core.errors import UserError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    recording = audio.{read}(Path(sys.argv[1]))
    audio.prime_of(recording, rate=8400, prime_seconds=0.33, highpass_hz=25.0)
    line = "prime"
except UserError as error:
    line = str(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
print(line)
"""


def mebibytes(path: Path, read: str = "read_head") -> tuple[float, str]:
    """Memory that reading and making a prime adds at its peak, and what came of it."""
    program = MEASURED.replace("{read}", read)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    peak, line = done.stdout.splitlines()
    return float(peak), line


def test_a_prime_of_a_minute_of_eight_channels_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "wide.flac"
    note = damped([261.6], [2.0], seconds=2.0, rate=192_000)
    with sf.SoundFile(path, "w", 192_000, 8, "PCM_16") as file:
        file.write(np.tile(note[:, np.newaxis], 8))
        for _ in range(29):
            file.write(np.zeros((384_000, 8), np.int16))
    peak, line = mebibytes(path)
    assert line == "prime"
    assert peak < 160


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
def test_an_impossible_rate_costs_no_memory(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "odd.wav"
    path.write_bytes(encoded("WAV", "PCM_16", NOTE[:500], rate))
    for read in ("read", "read_head"):
        peak, line = mebibytes(path, read)
        assert "sample rate" in line
        assert peak < 20


# The beginning alone


def with_lead(seconds: float, noise_dbfs: float | None, peak: float = 0.5) -> np.ndarray:
    lead = np.zeros(round(seconds * RATE), np.float32)
    sound = np.concatenate([lead, 2 * peak * NOTE])
    if noise_dbfs is not None:
        noise = np.random.default_rng(7).standard_normal(len(sound)).astype(np.float32)
        sound += np.float32(10 ** (noise_dbfs / 20)) * noise
    return sound


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("lead", [0.0, 0.4, 7.3, 27.9])
def test_the_beginning_of_an_ordinary_note_is_the_note(
    tmp_path: Path, kind: str, lead: float
) -> None:
    path = tmp_path / "note"
    path.write_bytes(encoded(kind, None, with_lead(lead, -80.0)))
    whole, head = audio.read(path), audio.read_head(path)
    assert np.array_equal(whole.samples, head.samples)
    assert head.skipped_seconds == 0


@pytest.mark.parametrize("noise_dbfs", [None, -90.0, -70.0, -55.0, -45.0])
@pytest.mark.parametrize("lead", [28.1, 29.995, 30.0, 31.0, 60.4, 250.0])
def test_a_note_behind_a_long_lead_is_found(
    tmp_path: Path, lead: float, noise_dbfs: float | None
) -> None:
    path = tmp_path / "note.flac"
    path.write_bytes(encoded("FLAC", None, with_lead(lead, noise_dbfs)))
    whole, head = audio.read(path), audio.read_head(path)
    assert head.seconds <= 30
    expected, said = audio.prime_of(whole, **MODEL)
    prime, done = audio.prime_of(head, **MODEL)
    assert done == said
    assert float(done[-1].split()[0]) == pytest.approx(lead, abs=0.03)
    assert np.array_equal(prime, expected)


@pytest.mark.parametrize("tail", [40, 100])
@pytest.mark.parametrize("peak", [0.5, 1e-3])
def test_a_note_before_a_long_silence_is_kept(tmp_path: Path, tail: int, peak: float) -> None:
    path = tmp_path / "note.flac"
    sound = np.concatenate([with_lead(1.0, None, peak), np.zeros(tail * RATE, np.float32)])
    path.write_bytes(encoded("FLAC", "PCM_24", sound))
    expected, said = audio.prime_of(audio.read(path), **MODEL)
    head = audio.read_head(path)
    assert head.seconds == 30
    prime, done = audio.prime_of(head, **MODEL)
    assert done == said
    assert np.array_equal(prime, expected)


def test_a_click_in_the_lead_does_not_end_the_search(tmp_path: Path) -> None:
    sound = with_lead(90.0, -80.0)
    sound[5 * RATE : 5 * RATE + 20] = 0.5
    path = tmp_path / "note.flac"
    path.write_bytes(encoded("FLAC", None, sound))
    prime, done = audio.prime_of(audio.read_head(path), **MODEL)
    assert done[-1].startswith(("89.9", "90.0"))
    assert np.array_equal(prime, audio.prime_of(audio.read(path), **MODEL)[0])


def test_many_channels_at_a_high_rate_are_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    note = damped([261.6], [2.0], seconds=8.0, rate=192_000)
    sf.write(path, np.tile(note[:, np.newaxis], 8), 192_000, subtype="PCM_16")
    head = audio.read_head(path)
    assert head.samples.shape == (8, 5 * 192_000)
    expected, _ = audio.prime_of(audio.read(path), **MODEL)
    assert np.array_equal(audio.prime_of(head, **MODEL)[0], expected)


def test_a_long_silence_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "none.flac"
    path.write_bytes(encoded("FLAC", None, np.zeros(90 * RATE, np.int16)))
    with pytest.raises(UserError, match="silent"):
        audio.prime_of(audio.read_head(path), **MODEL)


# Damage

SOUND = np.stack([NOTE[:4000], 0.5 * NOTE[:4000]], axis=1)
FILES = [
    encoded(kind, subtype, SOUND)
    for kind, subtype in [
        ("WAV", "PCM_16"),
        ("WAV", "IMA_ADPCM"),
        ("WAVEX", "FLOAT"),
        ("RF64", "PCM_24"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AIFF", "FLOAT"),
        ("CAF", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("AU", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", None),
    ]
]
FILES.append(encoded("OGG", "OPUS", np.tile(SOUND, (3, 1)), 48000))


@given(
    st.integers(0, len(FILES) - 1),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), max_size=4),
    st.floats(0, 1),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_any_damage_gives_sound_or_a_line(
    which: int, patches: list[tuple[int, bytes]], kept: float, is_cut: bool
) -> None:
    broken = bytearray(FILES[which])
    for at, patch in patches:
        broken[at : at + len(patch)] = patch
    if is_cut:
        del broken[round(kept * len(broken)) :]
    line = ""
    try:
        recording = audio.read_bytes(bytes(broken))
    except UserError as error:
        line = str(error)
    else:
        assert recording.samples.size
        assert np.abs(recording.samples).max() <= 1
        assert 1000 <= recording.rate <= 768_000
    assert "\n" not in line
