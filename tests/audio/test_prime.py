from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.audio import Recording
from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.clips import prepare_clips
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
    [clip] = prepare_clips(tmp_path, [note], rate=8400, seconds=2.0, highpass_hz=25.0)
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
    [clip] = prepare_clips(tmp_path, [note], rate=8400, seconds=3.0, highpass_hz=25.0)
    prime, _ = audio.prime_of(audio.read(path), **MODEL)
    assert np.array_equal(prime, clip.samples[: len(prime)])


@pytest.mark.parametrize(
    ("format_", "subtype", "bits"),
    [
        ("WAV", "PCM_U8", 16),
        ("WAV", "PCM_16", 16),
        ("WAV", "PCM_24", 24),
        ("WAV", "FLOAT", 24),
        ("FLAC", "PCM_16", 16),
        ("FLAC", "PCM_24", 24),
        ("OGG", "VORBIS", 16),
        ("MP3", "MPEG_LAYER_III", 16),
    ],
)
def test_cleaned_sound_has_the_steps_of_its_file(format_: str, subtype: str, bits: int) -> None:
    buffer = io.BytesIO()
    sf.write(buffer, audio.mono(recorded()), 44100, format=format_, subtype=subtype)
    recording = audio.read_bytes(buffer.getvalue())
    assert recording.bits == bits
    steps = audio.cleaned(recording, rate=8400, highpass_hz=25.0) * 2.0 ** (bits - 1)
    assert np.array_equal(steps, np.round(steps))
    assert np.any(steps % 2)


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


def damped_note(rate: int, *, noise_db: float | None = -80.0, seconds: float = 1.0) -> np.ndarray:
    partials = [220 * k for k in range(1, 8)]
    times = [3 / k for k in range(1, 8)]
    levels = [1 / k for k in range(1, 8)]
    return damped(partials, times, levels, seconds=seconds, rate=rate, noise_db=noise_db)


@pytest.mark.parametrize("lacking", [0.0, 0.005, 0.03, 0.06, 0.095])
@pytest.mark.parametrize("rate", [4000, 8400, 16000])
@pytest.mark.parametrize("noise_db", [None, -80.0, -60.0])
def test_a_note_that_lacks_a_little_is_completed(
    rate: int, lacking: float, noise_db: float | None
) -> None:
    note = np.round(damped_note(rate, noise_db=noise_db) * 2**23) / np.float32(2**23)
    needed = round(0.33 * rate)
    given = needed - round(lacking * rate)
    model = {**MODEL, "rate": rate, "highpass_hz": 0.0}
    prime, done = audio.prime_of(Recording(note[np.newaxis, :given], rate), **model)
    assert len(prime) == needed
    assert prime.dtype == np.float32
    assert np.array_equal(prime[:given], note[:given])
    said = [f"{(needed - given) / rate:.3f} s missing at the end added by linear prediction"]
    assert done == (said if lacking else [])
    if lacking:
        truth, added = note[given:needed], prime[given:]
        snr_db = 10 * np.log10(np.sum(truth**2) / np.sum((added - truth) ** 2))
        assert snr_db > {None: 90, -80.0: 45, -60.0: 25}[noise_db]


@pytest.mark.parametrize("lacking", [0.101, 0.15, 0.3])
@pytest.mark.parametrize("lead", [0.0, 0.5])
def test_a_note_that_lacks_more_is_refused(lacking: float, lead: float) -> None:
    # Behind silence the onset is placed up to 25 ms early.
    seconds = 0.33 - lacking - (0.025 if lead else 0.0)
    note = damped_note(44100)[: round(seconds * 44100)]
    sound = np.concatenate([np.zeros(round(lead * 44100), np.float32), note])
    with pytest.raises(UserError, match=r"s of note after the onset, the prime needs 0\.33 s"):
        audio.prime_of(Recording(sound[np.newaxis], 44100), **MODEL)


@pytest.mark.parametrize("attack", [0.002, 0.02, 0.05])
@pytest.mark.parametrize("lead", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("rate", [8400, 22050, 44100, 48000])
def test_a_note_cut_at_the_length_of_the_prime_is_taken(
    rate: int, lead: float, attack: float
) -> None:
    note = damped_note(rate, noise_db=None)[: int(0.33 * rate)]
    note *= np.minimum(1, np.arange(len(note)) / (attack * rate)) ** 3
    sound = np.concatenate([np.zeros(round(lead * rate), np.float32), note])
    prime, done = audio.prime_of(Recording(sound[np.newaxis], rate), **MODEL)
    assert len(prime) == round(0.33 * 8400)
    added = [line for line in done if "linear prediction" in line]
    assert all(float(line.split()[0]) < attack for line in added)


def test_what_precedes_the_onset_is_taken_first() -> None:
    """A soft beginning counts as note where the note is a little short."""
    note = damped_note(8400)[:2772]
    note[:100] *= 1e-3
    recording = Recording(note[np.newaxis], 8400)
    assert 0 < audio.onset(audio.cleaned(recording, rate=8400, highpass_hz=25.0), 8400) <= 168
    prime, done = audio.prime_of(recording, **MODEL)
    assert done == []
    assert np.array_equal(prime, audio.cleaned(recording, rate=8400, highpass_hz=25.0))


@pytest.mark.parametrize("lacking", [0.002, 0.01, 0.016, 0.02])
def test_a_short_prime_is_completed_by_a_third_at_most(lacking: float) -> None:
    model = {"rate": 8000, "prime_seconds": 0.05, "highpass_hz": 0.0}
    note = damped_note(8000)[: round((0.05 - lacking) * 8000)]
    if lacking < 0.05 / 3:
        assert len(audio.prime_of(Recording(note[np.newaxis], 8000), **model)[0]) == 400
    else:
        with pytest.raises(UserError, match="the prime needs"):
            audio.prime_of(Recording(note[np.newaxis], 8000), **model)


# Level


def in_floats(sound: np.ndarray, subtype: str) -> bytes:
    stream = io.BytesIO()
    sf.write(stream, sound, 44100, format="WAV", subtype=subtype)
    return stream.getvalue()


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("peak", [1.0, 1.02, 2.0, 128.0, 20000.0, 32767.0, 2.0**31])
def test_a_peak_above_full_scale_is_brought_to_it_and_said(peak: float, subtype: str) -> None:
    note = damped_note(44100).astype(np.float64)
    note *= peak / np.abs(note).max()
    read = audio.read_bytes(in_floats(note, subtype))
    made = Recording(note[np.newaxis].astype(np.float32), 44100)
    assert np.abs(read.samples).max() == 1.0
    np.testing.assert_allclose(read.samples[0], note / peak, atol=1e-6)
    prime, done = audio.prime_of(read, **MODEL)
    again, said = audio.prime_of(made, **MODEL)
    np.testing.assert_allclose(prime, again, atol=1e-6)
    line = f"peak {peak:.6g} is above full scale: scaled by {-20 * np.log10(peak):.1f} dB"
    assert done == said == ([line] if peak > 1 else []) + ["resampled 44100 -> 8400 Hz"]


def test_flat_tops_above_full_scale_are_clipped() -> None:
    note = damped_note(44100)
    for peak in (1.0, 2.0, 32767.0):
        flat = peak * np.clip(4 * note, -1, 1)
        read = audio.read_bytes(in_floats(flat, "FLOAT"))
        assert audio.is_clipped(read)
        assert any("clipped" in line for line in audio.prime_of(read, **MODEL)[1])
        loud = peak * note / np.abs(note).max()
        assert not audio.is_clipped(audio.read_bytes(in_floats(loud, "FLOAT")))


def test_silence_stored_as_integers_is_not_loud() -> None:
    note = 0.9 * damped_note(44100)
    note[22050:] = 0
    quiet = audio.read_bytes(in_floats(32767 * note, "FLOAT"))
    assert np.abs(quiet.samples[0, 22050:]).max() == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_impossible_samples_are_refused(bad: float) -> None:
    note = damped_note(44100)
    note[1000] = bad
    for make in (
        lambda: audio.read_bytes(in_floats(note, "FLOAT")),
        lambda: audio.prime_of(Recording(note[np.newaxis], 44100), **MODEL),
    ):
        with pytest.raises(UserError, match=r"NaN or infinite|as large as 1e\+30") as error:
            make()
        assert "\n" not in str(error.value)


# Channels


def mixed(*channels: np.ndarray) -> Recording:
    return Recording(np.stack(channels).astype(np.float32), 44100, Path("A3.wav"))


NOTE = damped_note(44100)
SILENCE = np.zeros_like(NOTE)
HISS = np.random.default_rng(8).standard_normal((16, len(NOTE)))


def test_what_mixing_loses_is_measured() -> None:
    for count in (1, 2, 3, 8):
        assert audio.mono_loss_db(mixed(*[NOTE] * count)) == pytest.approx(0, abs=0.01)
    for count in (2, 3, 5, 16):
        assert audio.mono_loss_db(mixed(*HISS[:count])) == pytest.approx(3, abs=0.15)
        alone = mixed(NOTE, *[SILENCE] * (count - 1))
        assert audio.mono_loss_db(alone) == pytest.approx(3, abs=0.05)
    assert audio.mono_loss_db(mixed(NOTE, -NOTE)) == np.inf
    assert audio.mono_loss_db(mixed(NOTE + 0.2, 0.2 - NOTE)) > 60
    assert audio.mono_loss_db(mixed(SILENCE, SILENCE)) == 0
    for share in (0.3, 0.5, 0.8):
        loss = 10 * np.log10((1 + share**2) / 2 / ((1 - share) / 2) ** 2)
        assert audio.mono_loss_db(mixed(NOTE, -share * NOTE)) == pytest.approx(loss, abs=0.01)


@pytest.mark.parametrize(
    "channels",
    [
        (NOTE, -NOTE),
        (NOTE, -NOTE, SILENCE),
        (NOTE, -NOTE, NOTE, -NOTE),
        (NOTE, -NOTE + 1e-3 * HISS[0]),
        (NOTE + 1e-4 * HISS[0], -NOTE + 1e-4 * HISS[1]),
        (NOTE + 0.1, 0.1 - NOTE),
        (2 * NOTE, -NOTE, -NOTE),
    ],
)
def test_channels_that_cancel_are_refused(channels: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(UserError, match=r"^A3\.wav: its channels cancel when mixed to mono: give"):
        audio.prime_of(mixed(*channels), **MODEL)


@pytest.mark.parametrize(
    ("channels", "loss"),
    [
        ((NOTE, -0.5 * NOTE), 10),
        ((NOTE, -0.9 * NOTE), 26),
        ((NOTE, NOTE, -NOTE), 8),
        ((NOTE, -NOTE + 0.3 * HISS[0] * NOTE.std()), 17),
    ],
)
def test_channels_that_cancel_in_part_are_warned_of(
    channels: tuple[np.ndarray, ...], loss: int
) -> None:
    _, done = audio.prime_of(mixed(*channels), **MODEL)
    line = f"warning: its channels cancel in part, {loss} dB are lost by mixing them"
    assert any(one.startswith(line) for one in done)


@pytest.mark.parametrize(
    "channels",
    [(NOTE,), (NOTE, NOTE), (NOTE, 0.2 * NOTE), (NOTE, SILENCE), (NOTE, *[SILENCE] * 15)],
)
def test_channels_that_do_not_cancel_are_not_warned_of(channels: tuple[np.ndarray, ...]) -> None:
    _, done = audio.prime_of(mixed(*channels), **MODEL)
    assert not any("cancel" in line for line in done)


def test_real_recordings_hardly_cancel(real_data: Path) -> None:
    files = sorted((real_data / "iowa" / "cello").glob("*.flac"))
    losses = [audio.mono_loss_db(audio.read(file)) for file in files[::6]]
    assert max(losses) < 0.5
    assert audio.CANCELLING_DB == 6
