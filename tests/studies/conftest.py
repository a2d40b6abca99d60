"""A toy instrument whose search is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from notedecay.data import split
from notedecay.data.clips import write_clips
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from tests.synthetic import damped
from tests.toy import INSTRUMENT

RATE = 4000
PITCHES = list(range(57, 69))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose search is done: clips, split, and a tiny net as the best."""
    root = tmp_path_factory.mktemp("project")
    (root / "dvc.yaml").write_text("")
    params = {"seed": 5, "defaults": INSTRUMENT, "instruments": {"bells": {}}}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    results = root / "results/bells"
    clips = [
        Clip(f"bells/own/{p}", p, damped([hz(p), 2.01 * hz(p)], [1.4, 0.9], [1, 0.5], seconds=1.6,
                                         rate=RATE, seed=p), RATE)
        for p in PITCHES
    ]  # fmt: skip
    write_clips(clips, results / "clips.npz")
    parts = split.divide(
        {clip.id: clip.pitch for clip in clips}, validation=0.15, test=0.15, seed=5
    )
    split.write(parts, results / "split.json")
    best = {"model": "gru", "settings": {"units": 16, "resolution": 30}}
    (results / "best.json").write_text(json.dumps(best))
    return root
