"""Logging of audio and pictures of notes, under the same names in every run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from notedecay.tracking.runs import ActiveRun
from notedecay.training.evaluator import ScoredContinuation, spread
from notedecay.training.listening import write_listening

Scored = Mapping[str, Sequence[ScoredContinuation]]
"""Scored continuations of one model, by split."""


def log_listening(run: ActiveRun, scored: Scored, count: int, prime_samples: int) -> None:
    """Log audio and pictures of a few notes per split, the same notes in every run.

    Parameters
    ----------
    run : ActiveRun
        Gets them as files below ``listen/<split>`` and as images.
    scored : mapping of str to sequence of ScoredContinuation
        All notes, by split.
    count : int
        How many notes of each split are kept.
    prime_samples : int
        Length of the prime.
    """
    with tempfile.TemporaryDirectory(prefix="notedecay-") as name:
        folder = Path(name)
        for split, items in scored.items():
            ids = {clip.id for clip in spread([item.clip for item in items], count)}
            few = [item for item in items if item.clip.id in ids]
            write_listening(few, prime_samples, folder / split)
        run.folder(folder, "listen")
        run.images(folder)
