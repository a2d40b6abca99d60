"""Results as a trial leaves them, without a training, and what tracks them in a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notedecay.core.tables import write_json
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import RESULT, Trial

HISTORY = [
    {"epoch": 1, "train_loss": 0.9},
    {"epoch": 2, "train_loss": 0.7, "checkpoint.score": 0.5},
]


def result(**changed: Any) -> dict[str, Any]:
    """A complete training of two epochs."""
    values = {
        "ended": "complete", "device": "cpu", "epoch": 2, "score": 0.5, "history": HISTORY,
        "figures": {"unseen": {"score": 0.4, "pitch_cents": None}},
        "teacher_forced": {"unseen": 0.3},
    }  # fmt: skip
    return values | changed


def leave(store: TrialStore, trial: Trial, **changed: Any) -> Path:
    """Write the result of a trial to a store; give its folder."""
    write_json(result(**changed), store.folder(trial) / RESULT)
    return store.folder(trial)


class RecordingSink:
    """Notes the calls of a sink, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def __enter__(self) -> RecordingSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append(("close", 0))

    def begin(self, trial: Trial, *_: object) -> None:
        self.calls.append(("begin", trial.seed))

    def epoch(self, trial: Trial, *_: object) -> None:
        self.calls.append(("epoch", trial.seed))

    def end(self, trial: Trial, folder: Path, found: Mapping[str, Any]) -> str:
        assert (folder / RESULT).exists()
        assert found["ended"] == "complete"
        self.calls.append(("end", trial.seed))
        return f"run of {trial.seed}"

    def fail(self, trial: Trial, reason: str) -> None:
        assert reason
        self.calls.append(("fail", trial.seed))
