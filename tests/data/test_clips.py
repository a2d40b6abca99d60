from __future__ import annotations

import io
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from notedecay.audio import prime
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.clips import check_clips, prepare_clips, read_clips, write_clips
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from tests.synthetic import damped


def test_clips_begin_at_the_onset_and_are_no_longer_than_asked(data_dir: Path) -> None:
    notes = catalogue.build(data_dir, "guitar", highpass_hz=40)[:5]
    short = list(prepare_clips(data_dir, notes, rate=5600, seconds=1.0, highpass_hz=40))
    whole = list(prepare_clips(data_dir, notes, rate=5600, seconds=9.0, highpass_hz=40))
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


def some_clips(*lengths: int) -> list[Clip]:
    generator = np.random.default_rng(0)
    return [
        Clip(f"piano/ff/{i}", 60 + i, generator.standard_normal(n).astype(np.float32), 8400)
        for i, n in enumerate(lengths)
    ]


def test_clips_come_back_from_their_file_which_is_the_same_each_time(tmp_path: Path) -> None:
    clips = some_clips(5, 1, 0, 12)
    write_clips(clips, tmp_path / "a.npz")
    write_clips(iter(clips), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "b.npz"}
    back = read_clips(tmp_path / "a.npz")
    assert [(c.id, c.pitch, c.rate) for c in back] == [(c.id, c.pitch, c.rate) for c in clips]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(back, clips, strict=True))
    write_clips([], tmp_path / "none.npz")
    assert read_clips(tmp_path / "none.npz") == []


def test_any_program_that_reads_npz_reads_clips(tmp_path: Path) -> None:
    clips = some_clips(3, 4)
    write_clips(clips, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as held:
        assert held["samples"].tolist() == [*clips[0].samples, *clips[1].samples]
        assert held["ids"].tolist() == ["piano/ff/0", "piano/ff/1"]
        assert [held[name].tolist() for name in ("pitches", "lengths", "rates")] == [
            [60, 61], [3, 4], [8400, 8400],
        ]  # fmt: skip


def test_samples_stay_in_the_file_until_they_are_used(tmp_path: Path) -> None:
    write_clips(some_clips(3, 4), tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()
    first, second = (clip.samples for clip in read_clips(tmp_path / "a.npz"))
    for samples in (first, second):
        assert isinstance(samples.base, np.ndarray)
        assert isinstance(samples.base.base, np.memmap)
        assert samples.flags.aligned
    first[:] = 0  # in memory alone
    assert (tmp_path / "a.npz").read_bytes() == before
    assert read_clips(tmp_path / "a.npz")[0].samples.any()


def test_one_clip_is_in_memory_at_a_time_while_they_are_written(tmp_path: Path) -> None:
    made: list[weakref.ref[Samples]] = []

    def clips() -> Iterator[Clip]:
        for number in range(5):
            assert sum(samples() is not None for samples in made) <= 1
            samples = np.full(9, number, np.float32)
            made.append(weakref.ref(samples))
            yield Clip(f"bells/a/{number}", 60, samples, 4000)

    write_clips(clips(), tmp_path / "a.npz")
    assert [clip.samples[0] for clip in read_clips(tmp_path / "a.npz")] == [0, 1, 2, 3, 4]


def test_a_fault_while_clips_are_made_leaves_the_old_file(tmp_path: Path) -> None:
    write_clips(some_clips(3), tmp_path / "a.npz")

    def fails() -> Iterator[Clip]:
        yield some_clips(4)[0]
        raise UserError("D4.wav is not audio")

    with pytest.raises(UserError, match=r"D4\.wav is not audio"):
        write_clips(fails(), tmp_path / "a.npz")
    assert len(read_clips(tmp_path / "a.npz")[0].samples) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_what_does_not_hold_clips_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez_compressed(tmp_path / "packed.npz", samples=np.zeros(3, np.float32))
    write_clips(some_clips(3), tmp_path / "lengths.npz")
    other_lengths = io.BytesIO()
    np.save(other_lengths, np.array([4]))
    with zipfile.ZipFile(tmp_path / "lengths.npz", "a") as archive, pytest.warns(match="Duplicate"):
        archive.writestr("lengths.npy", other_lengths.getvalue())  # the last one counts
    for name, words in {
        "missing.npz": "no such clips",
        "text.npz": "does not hold clips",
        "other.npz": "does not hold clips",
        "packed.npz": "does not hold clips",
        "lengths.npz": "does not hold clips",
    }.items():
        with pytest.raises(UserError, match=words):
            read_clips(tmp_path / name)
    with pytest.raises(UserError, match="no such clips"):
        check_clips(tmp_path / "missing.npz")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "clips.npz"
    write_clips(some_clips(30, 20), path)
    check_clips(path)
    return path.read_bytes()


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_short_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, share: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "short.npz"
    path.write_bytes(whole[: int(share * len(whole))])
    for use in (read_clips, check_clips):
        with pytest.raises(UserError, match="does not hold clips: run the prepare stage again"):
            use(path)


@given(share=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255))
def test_a_damaged_byte_is_one_line_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, share: float, value: int
) -> None:
    damaged = bytearray(whole)
    damaged[int(share * len(whole))] ^= value
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(damaged)
    line = None
    try:
        check_clips(path)
        clips = read_clips(path)
    except UserError as error:
        line, clips = str(error), some_clips(30, 20)
    assert line in (None, f"{path} does not hold clips: run the prepare stage again")
    for clip, true in zip(clips, some_clips(30, 20), strict=True):
        assert (clip.id, clip.pitch, clip.rate) == (true.id, true.pitch, true.rate)
        assert np.array_equal(clip.samples, true.samples)
