"""A gate in small: candidates, notes, and what the registry holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from notedecay.models import create
from notedecay.registry import versions
from notedecay.registry.gate import Gate
from notedecay.tracking.runs import Tracker

RATE = 4000
NUMBERS = itertools.count()
TRAIN, TEST = (57, 59, 61), (58, 60)
SETTINGS = {
    "esprit": {"order": 12},
    "burg": {"order": 64},
    "silence": {},
    "lstm": {"units": 16, "resolution": 60, "transpose": 0},
}

Build = Callable[..., Gate]


def registered(tracker: Tracker) -> str:
    return f"notedecay-{tracker.tags['notedecay.instrument']}"


def alias(tracker: Tracker, name: str) -> str | None:
    """Name of the model behind an alias."""
    version = versions.holder(tracker.client, registered(tracker), name)
    return None if version is None else version.tags["model"]


def champion_files(tracker: Tracker) -> Path:
    present = versions.holder(tracker.client, registered(tracker), "champion")
    return versions.folder_of(tracker.client, present)


def evaluated(built: Gate, name: str, test: tuple[int, ...]) -> float:
    """Score of a candidate on the test notes, rounded as tags are."""
    signal = built.dataset.signal
    clips = [clip for clip in built.dataset.clips if clip.pitch in test]
    return round(built._evaluate(create(name, signal, SETTINGS[name]), clips), 4)
