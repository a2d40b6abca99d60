"""A training with all that it depends on, and what it leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a crew need not wait for torch
    from notedecay.models import Signal

RESULT = "result.json"
MADE = "made.npz"
LISTEN = "listen"
DIAGNOSIS = "diagnosis"
LOOKS = "snapshots.json"

C5 = 72
"""The note of the paper's figures, kept to listen to wherever it is judged."""


@dataclass(frozen=True)
class Job:
    """All that a training depends on.

    Attributes
    ----------
    continuator : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        Of the continuator.
    signal : Signal
        How it hears.
    clips : Path
        Its notes.
    learned, seen, unseen : tuple of str
        Ids of the notes that it learns from, and on which it is judged.
    padded_seconds : float or None
        Length to which the learned notes are filled up with silence, as the authors did (s).
    seed : int
        Of weights, order and noise.
    judged_highpass_hz : float or None
        Corner of the filter through which original and continuation are judged, where rumble
        was left in what is heard (Hz).
    illustrated : bool
        Whether audio, pictures and a diagnosis are left; the figures do not depend on it.
    """

    continuator: str
    settings: Mapping[str, Any]
    signal: Signal
    clips: Path
    learned: tuple[str, ...]
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    padded_seconds: float | None
    seed: int
    judged_highpass_hz: float | None = None
    illustrated: bool = True

    @property
    def key(self) -> str:
        """One word for all of it: the same job need not be done twice."""
        parts = asdict(replace(self, clips=Path(self.clips.name)))
        parts["signal"] = self.signal.model_dump()
        del parts["illustrated"]
        if self.judged_highpass_hz is None:
            del parts["judged_highpass_hz"]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def unfinished(folder: Path) -> Path:
    """Where a job keeps its progress until its folder is there."""
    return folder.with_name(f"{folder.name}.unfinished")
