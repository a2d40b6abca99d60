from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.audio import Recording
from notedecay.errors import UserError
from notedecay.notes import catalogue, prepared
from tests.synthetic import damped

MODEL = {"rate": 8400, "prime_seconds": 0.33, "highpass_hz": 25.0}


def recorded(
    *, before: float = 0.2, seconds: float = 2.0, rate: int = 44100, channels: int = 2
) -> Recording:
    note = damped([220, 440, 660], [3.0, 2.0, 1.0], seconds=seconds, rate=rate)
    whole = np.concatenate([np.zeros(round(before * rate), np.float32), note])
    whole += 1e-5 * np.random.default_rng(1).standard_normal(len(whole)).astype(np.float32)
    return Recording(np.tile(whole, (channels, 1)), rate, Path("A3.wav"))


def level_at(samples: audio.Samples, rate: int, frequency: float) -> float:
    t = np.arange(len(samples)) / rate
    window = np.hanning(len(samples))
    return float(2 * abs(np.sum(samples * window * np.exp(-2j * np.pi * frequency * t)))) / float(
        window.sum()
    )


def test_highpass_takes_rumble_and_leaves_the_note() -> None:
    t = np.arange(3 * 8000) / 8000
    both = (np.sin(2 * np.pi * 8 * t) + np.sin(2 * np.pi * 110 * t)).astype(np.float32)
    clean = audio.highpass(both, 8000, 25)
    assert level_at(clean, 8000, 8) < 1e-3
    assert level_at(clean, 8000, 110) == pytest.approx(1.0, abs=1e-3)
    corner = audio.highpass(np.sin(2 * np.pi * 25 * t).astype(np.float32), 8000, 25)
    assert level_at(corner, 8000, 25) == pytest.approx(0.5, abs=0.01)


def test_highpass_does_not_move_the_note() -> None:
    note = damped([200], [1.0], seconds=1.0)
    clean = audio.highpass(note, 8000, 25)
    lag = int(np.argmax(np.correlate(clean, note, "full"))) - (len(note) - 1)
    assert lag == 0


@given(st.integers(1, 40), st.sampled_from([0.0, 25.0, 200.0]))
@settings(max_examples=30, deadline=None)
def test_highpass_of_a_few_samples_keeps_their_number(count: int, corner: float) -> None:
    samples = np.linspace(-1, 1, count).astype(np.float32)
    clean = audio.highpass(samples, 8000, corner)
    assert len(clean) == count
    assert np.isfinite(clean).all()


def test_resampling_keeps_frequency_and_level() -> None:
    t = np.arange(44100) / 44100
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    low = audio.resample(tone, 44100, 8400)
    assert len(low) == 8400
    assert level_at(low[1000:-1000], 8400, 1000) == pytest.approx(0.5, abs=1e-3)


@given(st.floats(0.0, 1.5), st.sampled_from([-50.0, -60.0, None]))
@settings(max_examples=25, deadline=None)
def test_onset_lies_a_few_milliseconds_before_the_attack(
    before: float, noise_db: float | None
) -> None:
    note = damped([196, 392], [3.0, 1.0], seconds=1.5, rate=8000)
    start = round(before * 8000)
    whole = np.concatenate([np.zeros(start, np.float32), note])
    if noise_db is not None:
        noise = np.random.default_rng(3).standard_normal(len(whole)).astype(np.float32)
        whole += np.float32(10 ** (noise_db / 20)) * noise
    found = audio.onset(whole, 8000)
    assert start - 0.025 * 8000 <= found <= start


def test_onset_passes_over_a_click() -> None:
    whole = np.concatenate([np.zeros(8000, np.float32), damped([196], [2.0], seconds=1.0)])
    whole[2000:2010] = 0.4
    assert 7700 < audio.onset(whole, 8000) <= 8000


def test_a_prime_begins_with_the_note_and_says_what_was_done() -> None:
    prime, done = audio.prime_of(recorded(), **MODEL)
    assert len(prime) == round(0.33 * 8400)
    assert prime.dtype == np.float32
    assert done == [
        "stereo mixed to mono",
        "resampled 44100 -> 8400 Hz",
        "0.20 s before the note cut off",
    ]
    early = np.abs(prime[: round(0.02 * 8400)]).max()
    assert early > 0.1
    same, none = audio.prime_of(recorded(rate=8400, channels=1, before=0.02), **MODEL)
    assert none == []
    assert len(same) == len(prime)


def test_half_a_second_of_note_gives_nearly_the_same_prime() -> None:
    whole = recorded()
    part = Recording(whole.samples[:, : round(0.7 * 44100)], 44100)
    long, short = (audio.prime_of(r, **MODEL)[0] for r in (whole, part))
    error = 10 * np.log10(np.sum(long**2) / np.sum((long - short) ** 2))
    assert error > 60


def test_a_prime_is_what_the_training_clip_begins_with(tmp_path: Path) -> None:
    folder = tmp_path / "guitar" / "own"
    folder.mkdir(parents=True)
    whole = audio.mono(recorded(seconds=3.0))
    audio.write(folder / "A3.wav", whole, 44100)
    [note] = catalogue.build(tmp_path, "guitar", highpass_hz=25)
    [clip] = prepared.prepare(tmp_path, [note], rate=8400, seconds=2.0, highpass_hz=25.0)
    prime, _ = audio.prime_of(audio.read(folder / "A3.wav"), **MODEL)
    assert np.array_equal(prime, clip.samples[: len(prime)])


@pytest.mark.parametrize(
    "name", ["cello/Cello.pizz.ff.sulG.E3.stereo", "flute/Flute.nonvib.ff.A4.stereo"]
)
def test_the_same_holds_for_real_notes(real_data: Path, tmp_path: Path, name: str) -> None:
    source = (real_data / "iowa" / name).with_suffix(".stereo.flac")
    path = tmp_path / name.split("/")[0] / "iowa" / source.name
    path.parent.mkdir(parents=True)
    path.write_bytes(source.read_bytes())
    [note] = catalogue.build(tmp_path, path.parts[-3], highpass_hz=25)
    [clip] = prepared.prepare(tmp_path, [note], rate=8400, seconds=3.0, highpass_hz=25.0)
    prime, _ = audio.prime_of(audio.read(path), **MODEL)
    assert np.array_equal(prime, clip.samples[: len(prime)])


def test_too_short_silent_and_clipped_are_told() -> None:
    with pytest.raises(UserError, match=r"0\.2\d s of note after the onset, the prime needs 0\.33"):
        audio.prime_of(recorded(seconds=0.2), **MODEL)
    silent = Recording(np.zeros((2, 44100), np.float32), 44100, Path("none.wav"))
    with pytest.raises(UserError, match=r"none\.wav is silent"):
        audio.prime_of(silent, **MODEL)
    t = np.arange(44100) / 44100
    rumble = (0.5 * np.sin(2 * np.pi * 2 * t)).astype(np.float32)
    with pytest.raises(UserError, match="the audio sent is silent"):
        audio.prime_of(Recording(rumble[np.newaxis], 44100), **MODEL)
    left = recorded(channels=1).samples
    opposed = Recording(np.concatenate([left, -left]), 44100, Path("A3.wav"))
    with pytest.raises(UserError, match=r"A3\.wav: its channels cancel when mixed to mono"):
        audio.prime_of(opposed, **MODEL)
    loud = recorded()
    clipped = Recording(np.clip(4 * loud.samples, -1, 1), 44100)
    assert "clipped" in audio.prime_of(clipped, **MODEL)[1][-1]


@pytest.mark.parametrize(
    "sound",
    [
        np.full(44100, 0.5),
        np.concatenate([np.zeros(4410), np.full(44100, 0.5)]),
        0.1 * np.random.default_rng(4).standard_normal(44100),
    ],
    ids=["constant", "step", "white noise"],
)
@pytest.mark.parametrize("rate", [4000, 8400, 16000])
def test_a_prime_without_a_tone_is_warned_of(sound: np.ndarray, rate: int) -> None:
    recording = Recording(sound.astype(np.float32)[np.newaxis], 44100)
    _, done = audio.prime_of(recording, **{**MODEL, "rate": rate})
    assert done[-1].startswith("warning: no tone stands out of the prime")


@pytest.mark.parametrize("frequency", [41.2, 220.0, 3000.0])
def test_a_single_partial_in_some_noise_is_tone_enough(frequency: float) -> None:
    noise = 0.02 * np.random.default_rng(5).standard_normal(44100)
    sound = damped([frequency], [1.0], seconds=1.0, rate=44100) + noise
    recording = Recording(sound.astype(np.float32)[np.newaxis], 44100)
    assert audio.prime_of(recording, **MODEL)[1] == ["resampled 44100 -> 8400 Hz"]


@pytest.mark.parametrize("rate", [4000, 8400, 11025, 16000])
@pytest.mark.parametrize(
    ("frequencies", "levels"),
    [([27.1], [1]), ([27.5], [1]), ([29.1], [1]), ([27.5, 55], [1, 0.3]), ([30.9, 61.8], [1, 0.3])],
    ids=["flat A0", "A0", "Bb0", "A0 and octave", "B0 and octave"],
)
def test_the_lowest_keys_of_a_piano_are_tone_enough(
    frequencies: list[float], levels: list[float], rate: int
) -> None:
    sound = damped(frequencies, [1.0] * len(levels), levels, seconds=1.0, rate=44100)
    done = audio.prime_of(Recording(sound[np.newaxis], 44100), **{**MODEL, "rate": rate})[1]
    assert done == [f"resampled 44100 -> {rate} Hz"]
