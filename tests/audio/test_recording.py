from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from notedecay import audio
from notedecay.core.errors import UserError
from tests.synthetic import damped

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def made(folder: Path, suffix: str, *, rate: int = 44100, channels: int = 2) -> Path:
    path = folder / f"C4.{suffix}"
    note = damped([261.6, 523.2], [2.0, 1.5], seconds=2.0, rate=rate)
    kind, subtype = FORMATS[suffix]
    sf.write(path, np.tile(note[:, np.newaxis], channels), rate, format=kind, subtype=subtype)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_sound(tmp_path: Path, suffix: str) -> None:
    recording = audio.read(made(tmp_path, suffix))
    truth = damped([261.6, 523.2], [2.0, 1.5], seconds=2.0, rate=44100)
    assert recording.rate == 44100
    assert recording.samples.shape == (2, 88200)
    assert recording.samples.dtype == np.float32
    assert abs(recording.peak_dbfs - 20 * np.log10(0.5)) < 0.3
    assert np.corrcoef(recording.samples[0], truth)[0, 1] > 0.999


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = made(tmp_path, suffix)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match="truncated"):
        audio.read(path)
    with pytest.raises(UserError, match="the audio sent is truncated"):
        audio.read_bytes(path.read_bytes())


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not audio at all")
    sf.write(tmp_path / "none.wav", np.zeros(0), 8000)
    sf.write(tmp_path / "nan.wav", np.array([0.1, np.nan, 0.2]), 8000, subtype="FLOAT")
    sf.write(tmp_path / "inf.wav", np.array([0.1, np.inf, 0.2]), 8000, subtype="FLOAT")
    sf.write(tmp_path / "long.wav", np.zeros(601 * 1000, dtype=np.int16), 1000)
    for name, words in {
        "missing.wav": "no such file",
        ".": "is a folder",
        "empty.wav": "is empty",
        "text.wav": "is not audio",
        "none.wav": "holds no samples",
        "nan.wav": "NaN or infinite",
        "inf.wav": "NaN or infinite",
        "long.wav": "longer than 10 minutes",
    }.items():
        with pytest.raises(UserError, match=words) as error:
            audio.read(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)
        assert "\n" not in str(error.value)


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_bytes_that_are_no_audio_give_a_clear_line(data: bytes) -> None:
    with pytest.raises(UserError, match="the audio sent") as error:
        audio.read_bytes(data)
    assert "\n" not in str(error.value)


@given(
    hnp.arrays(
        np.float32,
        st.integers(1, 500),
        elements=st.floats(-1, 1, width=32, allow_subnormal=False),
    ),
    st.sampled_from([4200, 8000, 44100]),
)
@settings(max_examples=40, deadline=None)
def test_what_is_encoded_comes_back_to_24_bits(samples: audio.Samples, rate: int) -> None:
    back = audio.read_bytes(audio.encode(samples, rate))
    assert back.rate == rate
    assert np.max(np.abs(back.samples[0] - samples)) < 2**-22


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    note = damped([440], [1.0], seconds=0.5)
    audio.write(path, note, 8000)
    assert path.read_bytes() == audio.encode(note, 8000)
    assert sf.info(path).subtype == "PCM_24"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UserError, match="cannot be written"):
        audio.write(path / "below" / "a_file.wav", note, 8000)


def test_beyond_full_scale_is_scaled_as_a_whole() -> None:
    loud = np.array([0.0, 1.5, -3.0, 0.2], dtype=np.float32)
    back = audio.read_bytes(audio.encode(loud, 8000)).samples[0]
    assert back == pytest.approx([0.0, 0.5, -1.0, 0.2 / 3], abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_never_written(tmp_path: Path, bad: float) -> None:
    broken = np.array([0.1, bad, 0.2], dtype=np.float32)
    line = "the sound to write holds NaN or infinite samples, nothing is written: the weights"
    with pytest.raises(UserError, match=f"^{line}"):
        audio.encode(broken, 8000)
    path = tmp_path / "out.wav"
    with pytest.raises(UserError, match=rf"out\.wav: {line}") as error:
        audio.write(path, broken, 8000)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"made before")
    with pytest.raises(UserError, match="nothing is written"):
        audio.write(path, broken, 8000)
    assert path.read_bytes() == b"made before"


def test_flat_tops_are_clipped_and_a_full_scale_bass_note_is_not() -> None:
    t = np.arange(44100) / 44100
    bass = np.round(32767 * np.sin(2 * np.pi * 27.5 * t)) / 32768
    over = np.clip(1.3 * np.sin(2 * np.pi * 220 * t), -1, 1)
    assert not audio.is_clipped(audio.Recording(bass[np.newaxis].astype(np.float32), 44100))
    assert audio.is_clipped(audio.Recording(over[np.newaxis].astype(np.float32), 44100))


def test_silence_is_heard() -> None:
    quiet = np.full((1, 100), 1e-4, dtype=np.float32)
    assert audio.is_silent(audio.Recording(quiet, 8000))
    assert audio.is_silent(audio.Recording(0 * quiet, 8000))
    assert not audio.is_silent(audio.Recording(10 * quiet, 8000))
