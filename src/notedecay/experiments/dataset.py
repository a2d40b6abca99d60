"""The dataset of an instrument: its clips and how they are split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from notedecay.core.config import Params
from notedecay.core.digests import digest
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
    """Notes of an instrument, ready for training and evaluation.

    Attributes
    ----------
    signal : Signal
        Rate, prime and high-pass filter.
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

    def identity(self) -> dict[str, Any]:
        """What must be the same for figures to be comparable: notes, split and signal."""
        return {
            "clips": digest(self.path),
            "split": digest(self.path.with_name(SPLIT)),
            "signal": self.signal.model_dump(),
        }

    def only(self, *parts: str) -> Dataset:
        """The same without the notes of the other parts."""
        kept = [clip for part in parts for clip in self.part(part)]
        return replace(self, clips=kept)

    def ids(self, name: str) -> tuple[str, ...]:
        """Ids of ``train``, ``validation`` or ``test``."""
        return tuple(clip.id for clip in self.part(name))

    def part(self, name: str) -> list[Clip]:
        """Clips of ``train``, ``validation`` or ``test``."""
        ids = set(self.split[name])
        return [clip for clip in self.clips if clip.id in ids]

    def evaluation_set(self, clips: Sequence[Clip]) -> EvaluationSet:
        """Clips with the analysis of what follows their primes."""
        return EvaluationSet(clips, self.signal.prime_samples)

    def seen(self, count: int) -> list[Clip]:
        """Some training notes, spread over the pitches."""
        return spread(self.part("train"), count)


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
