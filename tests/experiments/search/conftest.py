"""Notes and a store of runs for searches."""

from __future__ import annotations

import pytest

from notedecay.data.clips import read_clips, write_clips
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.search.search import Notes
from notedecay.tracking.runs import Tracker
from tests.experiments.search.searches import LOUD, SIGNAL, SOFT


@pytest.fixture(scope="module")
def notes(tmp_path_factory) -> Notes:
    path = tmp_path_factory.mktemp("clips") / "clips.npz"
    write_clips([*LOUD, SOFT], path)
    parts = {"train": [clip.id for clip in LOUD], "validation": [SOFT.id], "test": []}
    return Notes(Dataset(SIGNAL, read_clips(path), parts, path), seen=2, checkpoint=64, listen=1)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory) -> Tracker:
    return Tracker(tmp_path_factory.mktemp("store") / "mlruns", "bells", {"seed": "3"})
