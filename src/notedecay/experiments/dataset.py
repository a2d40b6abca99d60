"""What every stage after ``prepare`` begins with: clips, split, panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.core.config import Params
from notedecay.core.digests import code_digest, digest
from notedecay.core.errors import UserError
from notedecay.data import split
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.models import Signal
from notedecay.training.evaluator import EvaluationSet, spread

CLIPS = "clips.npz"
SPLIT = "split.json"


@dataclass(frozen=True)
class Dataset:
    """Notes of an instrument, ready to be learned from and judged on.

    Attributes
    ----------
    signal : Signal
        How continuators hear.
    clips : list of Clip
        All good notes.
    split : dict of str to list of str
        Ids under ``train``, ``validation`` and ``test``.
    path : Path
        The file of clips.
    """

    signal: Signal
    clips: list[Clip]
    split: dict[str, list[str]]
    path: Path

    def identity(self, *packages: str) -> dict[str, Any]:
        """What must be the same for figures to compare: notes, and the code of some packages."""
        return {
            "clips": digest(self.path),
            "split": digest(self.path.with_name(SPLIT)),
            "signal": self.signal.model_dump(),
            "code": code_digest(*packages),
        }

    def part(self, name: str) -> list[Clip]:
        """Clips of ``train``, ``validation`` or ``test``."""
        ids = set(self.split[name])
        return [clip for clip in self.clips if clip.id in ids]

    def panel(self, clips: Sequence[Clip]) -> EvaluationSet:
        """Clips to be judged on."""
        return EvaluationSet(clips, self.signal.prime_samples)

    def seen(self, count: int) -> EvaluationSet:
        """Some training notes, spread over the pitches."""
        return self.panel(spread(self.part("train"), count))


def load_dataset(results: Path, instrument: str, params: Params) -> Dataset:
    """Read what the stage ``prepare`` wrote, and check that it is what it would write.

    Parameters
    ----------
    results : Path
        Folder of the instrument.
    instrument : str
        Its name.
    params : Params
        Validated.

    Raises
    ------
    UserError
        For files that are missing or damaged, clips at another rate, and a split that does not
        belong to the clips and the parameters: a test note may be trained on.
    """
    config = params.instrument(instrument).prepare
    signal = Signal(
        instrument=instrument,
        rate=config.rate,
        prime_seconds=config.prime_seconds,
        highpass_hz=config.highpass_hz,
    )
    path = results / CLIPS
    clips, parts = read_clips(path), split.read(results / SPLIT)
    anew = f"run 'dvc repro --force prepare@{instrument}'"
    if odd := {clip.rate for clip in clips} - {config.rate}:
        raise UserError(
            f"{path} holds clips at {min(odd)} Hz, and params.yaml says {config.rate}: {anew}"
        )
    fault = split.check(
        parts, clips, validation=config.validation, test=config.test, seed=params.seed
    )
    if fault:
        raise UserError(
            f"{results / SPLIT}: {fault}, so it is not what prepare wrote for {CLIPS}: {anew}"
        )
    return Dataset(signal, clips, parts, path)
