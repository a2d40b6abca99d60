"""A trial that takes a moment: notes of known truth, a tiny net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from notedecay.data.clips import write_clips
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.experiments.trial import SEEN, UNSEEN, Artifacts, Trial
from notedecay.models import Signal
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)
PITCHES = range(57, 65)
IDS = tuple(f"bells/own/{pitch}" for pitch in PITCHES)
SETTINGS = {"units": 16, "resolution": 40, "batch": 4, "transpose": 0, "epochs": 6}


def make_clips(path: Path) -> Path:
    """Write eight clips with one decaying partial each."""
    write_clips(
        [
            Clip(f"bells/own/{p}", p, damped([hz(p)], [1.2], seconds=1.3, rate=RATE, seed=p), RATE)
            for p in PITCHES
        ],
        path,
    )
    return path


def make_trial(clips: Path, **changed: Any) -> Trial:
    """A small LSTM that selects its epoch on two notes and is evaluated on two others."""
    values: dict[str, Any] = {
        "model": "lstm",
        "settings": SETTINGS,
        "signal": SIGNAL,
        "clips": clips,
        "train": IDS[:4],
        "validation": IDS[4:6],
        "evaluation": {SEEN: IDS[:2], UNSEEN: IDS[6:]},
        "seed": 3,
        "check_every": 2,
        "artifacts": Artifacts(),
    }
    return Trial(**values | changed)
