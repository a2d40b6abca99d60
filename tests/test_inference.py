"""From a recording, or a request, to a whole note."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import soundfile

import notedecay
from notedecay import audio
from notedecay.audio import Recording
from notedecay.core.errors import UserError
from notedecay.inference import draw, generate
from notedecay.models import Continuator, Signal, create
from notedecay.models.base import ContinuatorConfig
from notedecay.serving.codec import continue_encoded
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
ESPRIT = create("esprit", SIGNAL, {"order": 8})
SILENCE = create("silence", SIGNAL, {})
NOTE = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=3.0, rate=RATE)
WAV = audio.encode(NOTE, RATE)


def recording(samples: np.ndarray, rate: int = RATE) -> Recording:
    return Recording(np.atleast_2d(samples).astype(np.float32), rate)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_the_note_goes_on_as_it_would_have_at_its_own_level():
    made = generate(ESPRIT, recording(NOTE), 2.0)
    assert (made.rate, made.prime_samples, made.conversions) == (RATE, 1320, [])
    assert made.samples.dtype == np.float32
    assert len(made.samples) == 1320 + 8000
    truth = audio.highpass(NOTE, RATE, SIGNAL.highpass_hz)
    np.testing.assert_allclose(made.samples[1320:], truth[1320:9320], atol=0.01)


def test_a_softer_recording_gives_a_softer_note():
    loud = generate(ESPRIT, recording(NOTE), 1.0).samples
    soft = generate(ESPRIT, recording(0.1 * NOTE), 1.0).samples
    np.testing.assert_allclose(soft, 0.1 * loud, atol=1e-4)


@pytest.mark.parametrize(
    ("seconds", "length"), [(60.0, 240_000), (0.5, 2000), (0.0029, 12), (1e-3, 4), (1e-9, 0)]
)
def test_the_continuation_is_as_long_as_asked(seconds, length):
    made = generate(SILENCE, recording(NOTE), seconds)
    assert len(made.samples) == made.prime_samples + length
    np.testing.assert_array_equal(made.samples[made.prime_samples :], np.zeros(length))


@pytest.mark.parametrize("seconds", [0.0, -1.0, 60.001, 1e9, float("nan"), float("inf")])
def test_seconds_out_of_range_are_refused(seconds):
    with pytest.raises(UserError, match=r"^seconds must be above 0 and up to 60, got"):
        generate(SILENCE, recording(NOTE), seconds)
    with pytest.raises(UserError, match=r"^seconds must be"):
        continue_encoded(SILENCE, encoded(WAV), seconds)


def test_what_had_to_be_converted_is_said():
    stereo = np.vstack([NOTE, NOTE])
    made = generate(SILENCE, recording(stereo, 2 * RATE), 1.0)
    assert made.conversions == ["stereo mixed to mono", "resampled 8000 -> 4000 Hz"]
    assert made.rate == RATE


@pytest.mark.parametrize(
    ("samples", "line"),
    [
        (np.zeros(RATE), "the audio sent is silent"),
        (1e-5 * NOTE, "the audio sent is silent"),
        (NOTE[:900], "0.23 s of note after the onset, the prime needs 0.33 s: give a longer"),
    ],
)
def test_a_recording_without_a_prime_is_refused(samples, line):
    with pytest.raises(UserError, match=line):
        generate(SILENCE, recording(samples), 1.0)


def test_a_file_name_will_do_for_the_python_call(tmp_path):
    (tmp_path / "note.wav").write_bytes(WAV)
    by_name = notedecay.generate(ESPRIT, str(tmp_path / "note.wav"), 1.0)
    by_samples = notedecay.generate(ESPRIT, audio.read_bytes(WAV), 1.0)
    np.testing.assert_array_equal(by_name.samples, by_samples.samples)


def test_drawn_notes_begin_alike_and_die_away_differently():
    model = create("modal", SIGNAL, {})
    few = draw(model, recording(NOTE), 1.0, count=3, seed=1)
    prime = few[0].prime_samples
    assert len(few) == 3
    assert all(np.array_equal(one.samples[:prime], few[0].samples[:prime]) for one in few)
    assert not np.array_equal(few[0].samples, few[1].samples)
    again = draw(model, recording(NOTE), 1.0, count=3, seed=1)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(few, again, strict=True))
    other = draw(model, recording(NOTE), 1.0, count=1, seed=2)
    assert not np.array_equal(other[0].samples, few[0].samples)


def test_a_model_without_a_range_cannot_be_drawn_from():
    with pytest.raises(UserError, match="esprit knows one continuation"):
        draw(ESPRIT, recording(NOTE), 1.0, count=2, seed=0)


def test_hum_below_the_high_pass_is_removed():
    low = 0.2 * np.sin(2 * np.pi * 8 * np.arange(len(NOTE)) / RATE)
    clean, made = (generate(ESPRIT, recording(x), 1.0).samples for x in (NOTE, NOTE + low))
    assert np.abs(made[: RATE // 4] - clean[: RATE // 4]).max() < 0.1


def test_as_many_as_100_are_drawn():
    assert len(draw(create("modal", SIGNAL, {}), recording(NOTE), 1e-3, count=100, seed=0)) == 100


@pytest.mark.parametrize("count", [0, 101])
def test_how_many_are_drawn_has_bounds(count):
    with pytest.raises(UserError, match="1 to 100"):
        draw(create("modal", SIGNAL, {}), recording(NOTE), 1.0, count=count, seed=0)


class Continued(Continuator):
    """Goes on with what it is told to."""

    name = "told"
    Config = ContinuatorConfig

    def __init__(self, *continuations: np.ndarray) -> None:
        super().__init__(SIGNAL, ContinuatorConfig())
        self.continuations = continuations

    def continue_prime(self, prime, samples):  # noqa: ARG002
        return self.continuations[0][:samples]

    def sample_continuations(self, prime, samples, *, count, seed):  # noqa: ARG002
        return [one[:samples] for one in self.continuations]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(bad):
    broken = np.zeros(RATE, np.float32)
    broken[-1] = bad
    model = Continued(np.zeros(RATE, np.float32), broken)
    line = r"^told makes NaN or infinite samples of this prime: its weights, or the prime, are at"
    with pytest.raises(UserError, match=line):
        draw(model, recording(NOTE), 1.0, count=2, seed=0)
    for make in (generate, notedecay.generate):
        with pytest.raises(UserError, match=line) as error:
            make(Continued(broken), recording(NOTE), 1.0)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=line):
        continue_encoded(Continued(broken), encoded(WAV), 1.0)


@pytest.mark.parametrize("peak", [0.999, 1.0, 1.5, 40.0])
def test_a_note_that_grows_beyond_full_scale_is_scaled_as_a_whole(peak):
    loud = (peak * np.sin(np.arange(RATE) / 3)).astype(np.float32)
    loud[7] = -peak
    made = generate(Continued(loud), recording(NOTE), 1.0)
    plain = generate(SILENCE, recording(NOTE), 1.0).samples[:1320]
    scale = max(1.0, peak)
    assert np.abs(made.samples).max() <= 1
    np.testing.assert_allclose(made.samples[:1320], plain / scale, atol=1e-6)
    np.testing.assert_allclose(made.samples[1320:], loud / scale, atol=1e-6)
    decibels = -20 * np.log10(scale)
    line = f"the note made of it: peak {peak:g} is above full scale: scaled by {decibels:.1f} dB"
    assert made.conversions == ([line] if peak > 1 else [])


def test_drawn_notes_are_scaled_alike():
    soft, loud = np.full(RATE, 0.5, np.float32), np.full(RATE, 2.0, np.float32)
    first, second = draw(Continued(soft, loud), recording(NOTE), 1.0, count=2, seed=0)
    np.testing.assert_array_equal(first.samples[:1320], second.samples[:1320])
    assert second.samples.max() == 1.0
    assert first.samples[-1] == 0.25
    assert first.conversions == second.conversions != []


@pytest.mark.parametrize("peak", [2.0, 20000.0])
def test_a_file_of_loud_floats_gives_the_note_of_one_at_full_scale(tmp_path, peak):
    note = NOTE / np.abs(NOTE).max()
    paths = [tmp_path / "loud.wav", tmp_path / "full.wav"]
    soundfile.write(paths[0], peak * note, RATE, subtype="FLOAT")
    soundfile.write(paths[1], note, RATE, subtype="FLOAT")
    loud, full = (notedecay.generate(ESPRIT, path, 1.0) for path in paths)
    np.testing.assert_allclose(loud.samples, full.samples, atol=1e-4)
    assert loud.conversions[0].startswith(f"peak {peak:g} is above full scale: scaled by -")
    sent = continue_encoded(ESPRIT, encoded(paths[0].read_bytes()), 1.0)
    np.testing.assert_array_equal(sent.samples, loud.samples)
    assert sent.conversions == loud.conversions


def test_a_long_file_is_read_in_part(tmp_path):
    path = tmp_path / "long.wav"
    sound = np.concatenate([np.zeros(50 * RATE), NOTE, np.zeros(50 * RATE)])
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    made = notedecay.generate(ESPRIT, path, 1.0)
    sent = continue_encoded(ESPRIT, encoded(path.read_bytes()), 1.0)
    whole = generate(ESPRIT, audio.read(path), 1.0)
    assert made.conversions == sent.conversions == whole.conversions
    assert made.conversions[0].endswith("s before the note cut off")
    np.testing.assert_array_equal(made.samples, whole.samples)
    np.testing.assert_array_equal(sent.samples, whole.samples)
