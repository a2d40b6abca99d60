"""The notes of the experiments: training notes, unseen notes, and their preprocessing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from notedecay import audio
from notedecay.core.errors import UserError
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.studies.paper.datasets import C5, DatasetSpec, load
from tests.toy import make_notes

BELLS = DatasetSpec("bells", highest_hz=1400, seconds=1.5, highpass_hz=40.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_notes(folder / "bells/own", range(60, 80))
    return folder


def pitches(data: Path, dataset: DatasetSpec, folder: Path) -> tuple[set[int], set[int]]:
    notes = load(dataset, data, folder)
    of = {clip.id: clip.pitch for clip in read_clips(notes.clips)}
    return {of[id_] for id_ in notes.seen}, {of[id_] for id_ in notes.unseen}


def test_no_pitch_is_both_seen_and_unseen(data: Path, tmp_path: Path) -> None:
    seen, unseen = pitches(data, BELLS, tmp_path)
    assert seen | unseen == set(range(60, 80))
    assert not seen & unseen
    assert C5 in seen


def test_c5_alone_can_be_unseen(data: Path, tmp_path: Path) -> None:
    seen, unseen = pitches(data, replace(BELLS, unseen="C5"), tmp_path)
    assert unseen == {C5}
    assert C5 not in seen


def test_the_reduced_piano_has_only_a_notes(tmp_path: Path) -> None:
    make_notes(tmp_path / "bells/own", range(45, 94, 6))
    make_notes(tmp_path / "bells/more", range(33, 96, 12))
    seen, unseen = pitches(tmp_path, replace(BELLS, pitches="A"), tmp_path / "kept")
    assert seen | unseen == {33, 45, 57, 69, 81, 93}


def test_their_own_recordings_go_before_others(tmp_path: Path) -> None:
    make_notes(tmp_path / "bells/iowa-ff", range(60, 72))
    make_notes(tmp_path / "bells/other", range(72, 84))
    seen, unseen = pitches(tmp_path, BELLS, tmp_path / "kept")
    assert seen | unseen == set(range(60, 72))
    assert load(BELLS, tmp_path, tmp_path / "kept").sources == "12 notes (iowa-ff)"


def test_both_preprocessings_have_the_same_notes(data: Path, tmp_path: Path) -> None:
    ours, theirs = BELLS, replace(BELLS, rumble=True, lead=True, as_authors=True)
    assert pitches(data, ours, tmp_path) == pitches(data, theirs, tmp_path)
    assert theirs.signal(0.33).highpass_hz == 0
    assert theirs.rate == ours.rate == 2940


def test_notes_are_prepared_once(data: Path, tmp_path: Path) -> None:
    first = load(BELLS, data, tmp_path).clips
    made = first.stat().st_mtime_ns
    assert load(replace(BELLS, unseen="C5"), data, tmp_path).clips == first
    assert first.stat().st_mtime_ns == made


def test_other_recordings_are_not_mistaken_for_these(tmp_path: Path) -> None:
    make_notes(tmp_path / "bells/own", range(60, 72))
    first = load(BELLS, tmp_path, tmp_path / "kept")
    make_notes(tmp_path / "bells/more", range(72, 75))
    second = load(BELLS, tmp_path, tmp_path / "kept")
    assert first.clips != second.clips
    assert len(second.seen) + len(second.unseen) == 15


def test_no_c5_to_hold_out_is_one_clear_line(tmp_path: Path) -> None:
    make_notes(tmp_path / "bells/own", range(48, 60))
    with pytest.raises(UserError, match="no C5"):
        load(replace(BELLS, unseen="C5"), tmp_path, tmp_path / "kept")


def test_an_instrument_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no recordings"):
        load(BELLS, tmp_path, tmp_path / "kept")


def test_the_authors_clips_hold_the_rumble(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "guitar/iowa").mkdir(parents=True)
    for file in sorted((real_data / "iowa/guitar").glob("*.pp.*")):
        shutil.copy(file, tmp_path / "guitar/iowa")
    guitar = DatasetSpec("guitar", highest_hz=1400, seconds=5.0, highpass_hz=60.0)
    as_theirs = replace(guitar, rumble=True, lead=True, as_authors=True)
    ours = read_clips(load(guitar, tmp_path, tmp_path / "kept").clips)
    theirs = read_clips(load(as_theirs, tmp_path, tmp_path / "kept").clips)
    assert [clip.id for clip in ours] == [clip.id for clip in theirs]
    assert np.median([rumble(clip) for clip in theirs]) > 0.5
    assert max(rumble(clip) for clip in ours) < 0.01


def test_every_note_of_a_run_follows_the_run_s_lead(tmp_path: Path) -> None:
    folder = tmp_path / "bells/own"
    make_notes(tmp_path / "single", range(60, 80))
    folder.mkdir(parents=True)
    lead = np.zeros(round(0.2 * 8000), np.float32)
    for file in sorted((tmp_path / "single").iterdir()):
        note = audio.read(file)
        audio.write(folder / file.name, np.concatenate([lead, note.samples[0]]), 8000)
    onsets = {}
    for from_file in (False, True):
        dataset = replace(BELLS, lead=from_file)
        clips = read_clips(load(dataset, tmp_path, tmp_path / "kept").clips)
        onsets[from_file] = [
            np.argmax(np.abs(c.samples) > 0.1 * np.abs(c.samples).max()) / c.rate for c in clips
        ]
    assert max(onsets[False]) < 0.03
    assert onsets[True] == pytest.approx([0.2] * 20, abs=0.03)


def rumble(clip: Clip) -> float:
    """Share of the energy under 25 Hz."""
    power = np.abs(np.fft.rfft(clip.samples.astype(np.float64))) ** 2
    below = np.fft.rfftfreq(len(clip.samples), 1 / clip.rate) < 25.0
    return float(power[below].sum() / power.sum())
