from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from notedecay.audio import prime
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.clips import prepare_clips, read_clips, write_clips
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from tests.synthetic import damped


def test_clips_begin_at_the_onset_and_are_no_longer_than_asked(data_dir: Path) -> None:
    notes = catalogue.build(data_dir, "guitar", highpass_hz=40)[:5]
    short = prepare_clips(data_dir, notes, rate=5600, seconds=1.0, highpass_hz=40)
    whole = prepare_clips(data_dir, notes, rate=5600, seconds=9.0, highpass_hz=40)
    assert [clip.id for clip in short] == [note.id for note in notes]
    for a, b in zip(short, whole, strict=True):
        assert (len(a.samples), len(b.samples)) == (5600, 8400)
        assert a.samples.dtype == np.float32
        assert np.array_equal(a.samples, b.samples[:5600])
        assert np.abs(a.samples[:112]).max() > 0.1


def test_the_notes_of_a_run_end_where_the_next_begins(real_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "guitar" / "iowa"
    folder.mkdir(parents=True)
    run = real_data / "iowa" / "guitar" / "Guitar.ff.sulG.C5Db5.flac"
    (folder / run.name).write_bytes(run.read_bytes())
    notes = catalogue.build(tmp_path, "guitar", highpass_hz=50)
    clips = prepare_clips(tmp_path, notes, rate=5600, seconds=20.0, highpass_hz=50)
    for note, clip in zip(notes, clips, strict=True):
        assert len(clip.samples) / 5600 == pytest.approx(note.seconds, abs=0.03)
        peak = int(np.argmax(np.abs(clip.samples)))
        assert peak < 0.15 * 5600


@pytest.mark.parametrize(("subtype", "relative"), [("PCM_16", 1e-9), ("PCM_24", 1e-13)])
@pytest.mark.parametrize("stage", ["_resampled", "_highpassed"])
def test_the_last_bits_of_an_instruction_set_leave_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subtype: str, relative: float, stage: str
) -> None:
    (tmp_path / "bells" / "own").mkdir(parents=True)
    for pitch, name in ((57, "A3"), (60, "C4")):
        note = damped([hz(pitch), 2 * hz(pitch)], [2.0, 1.0], rate=44100, noise_db=-60, seed=pitch)
        sf.write(tmp_path / f"bells/own/{name}.wav", note, 44100, subtype=subtype)
    notes = catalogue.build(tmp_path, "bells", highpass_hz=25)

    def written(file: str) -> bytes:
        clips = prepare_clips(tmp_path, notes, rate=8400, seconds=2.0, highpass_hz=25.0)
        write_clips(clips, tmp_path / file)
        return (tmp_path / file).read_bytes()

    here = written("here.npz")
    whole = getattr(prime, stage)
    generator = np.random.default_rng(0)

    def elsewhere(samples: Samples, *arguments: float) -> Samples:
        exact = whole(samples, *arguments)
        return exact * (1 + relative * generator.uniform(-1, 1, len(exact)))

    monkeypatch.setattr(prime, stage, elsewhere)
    assert written("elsewhere.npz") == here
    monkeypatch.setattr(prime, "_rounded", lambda samples, _: samples.astype(np.float32))
    assert written("unrounded.npz") != here


def test_clips_come_back_from_their_file_which_is_the_same_each_time(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    clips = [
        Clip(f"piano/ff/{i}", 60 + i, generator.standard_normal(n).astype(np.float32), 8400)
        for i, n in enumerate((5, 1, 12))
    ]
    write_clips(clips, tmp_path / "a.npz")
    write_clips(clips, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_clips(tmp_path / "a.npz")
    assert [(c.id, c.pitch, c.rate) for c in back] == [(c.id, c.pitch, c.rate) for c in clips]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(back, clips, strict=True))
    write_clips([], tmp_path / "none.npz")
    assert read_clips(tmp_path / "none.npz") == []


def test_what_does_not_hold_clips_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name, words in {
        "missing.npz": "no such clips",
        "text.npz": "does not hold clips",
        "other.npz": "does not hold clips",
    }.items():
        with pytest.raises(UserError, match=words):
            read_clips(tmp_path / name)
