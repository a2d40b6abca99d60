"""The dataset of an instrument: its clips and their split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from notedecay.core.config import Params
from notedecay.core.digests import digest
from notedecay.core.errors import UserError
from notedecay.data import split
from notedecay.data.clips import check_clips, read_clips
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
        """Hashes of notes, split and signal, which are equal if figures are comparable."""
        return {
            "clips": digest(self.path),
            "split": digest(self.path.with_name(SPLIT)),
            "signal": self.signal.model_dump(),
        }

    def only(self, *parts: str) -> Dataset:
        """The dataset with the notes of these parts alone."""
        kept = [clip for part in parts for clip in self.part(part)]
        return replace(self, clips=kept)

    def ids(self, name: str) -> tuple[str, ...]:
        """Ids of ``train``, ``validation`` or ``test``."""
        return tuple(clip.id for clip in self.part(name))

    def part(self, name: str) -> list[Clip]:
        """Clips of ``train``, ``validation`` or ``test``."""
        ids = set(self.split[name])
        return [clip for clip in self.clips if clip.id in ids]

    def checkpoint_ids(self, count: int) -> tuple[str, ...]:
        """Ids of the validation notes that are scored in training, in the order of the clips.

        Parameters
        ----------
        count : int
            How many at most; spread over the pitches where there are more.
        """
        notes = self.part("validation")
        chosen = {clip.id for clip in spread(notes, count)}
        return tuple(clip.id for clip in notes if clip.id in chosen)

    def evaluation_set(self, clips: Sequence[Clip]) -> EvaluationSet:
        """Evaluation set of clips, with the analysis of what follows their primes."""
        return EvaluationSet(clips, self.signal.prime_samples)

    def seen(self, count: int) -> list[Clip]:
        """A number of training notes, spread over the pitches."""
        return spread(self.part("train"), count)


def load_dataset(results: Path, instrument: str, params: Params) -> Dataset:
    """Read the outputs of the stage ``prepare``, and check that they fit the parameters.

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
        For files that are missing or damaged, clips at another rate, and a split that is not that
        of the clips and the parameters, which might put test notes into training.
    """
    config = params.instrument(instrument).prepare
    signal = Signal(
        instrument=instrument,
        rate=config.rate,
        prime_seconds=config.prime_seconds,
        highpass_hz=config.highpass_hz,
    )
    path = results / CLIPS
    check_clips(path)
    clips, parts = read_clips(path), split.read(results / SPLIT)
    mend = f"run 'dvc repro --force prepare@{instrument}'"
    if odd := {clip.rate for clip in clips} - {config.rate}:
        raise UserError(
            f"{path} holds clips at {min(odd)} Hz, and params.yaml says {config.rate}: {mend}"
        )
    fault = split.check(
        parts, clips, validation=config.validation, test=config.test, seed=params.seed
    )
    if fault:
        raise UserError(
            f"{results / SPLIT}: {fault}, so it is not what prepare wrote for {CLIPS}: {mend}"
        )
    return Dataset(signal, clips, parts, path)
