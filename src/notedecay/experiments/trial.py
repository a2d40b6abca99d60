"""A trial: a training and its evaluation as plain data, and the names of its outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a process pool starts without torch
    from notedecay.experiments.search.pruning import PruneRule
    from notedecay.models import Signal

RESULT = "result.json"
CONTINUATIONS = "continuations.npz"
MODEL = "model"
LISTEN = "listen"
DIAGNOSIS = "diagnosis"
SNAPSHOTS = "snapshots.json"

SEEN, VALIDATION, UNSEEN = "seen", "validation", "unseen"
"""Names of evaluation sets: training notes, notes that select the epoch, notes never used."""

PRUNED = "pruned"


@dataclass(frozen=True)
class Artifacts:
    """Outputs of a trial besides its figures, which do not depend on them.

    Attributes
    ----------
    listen : tuple of str
        Ids of the notes that are kept as audio and pictures.
    diagnose_every : int
        Epochs between two snapshots of the network; 0 for none.
    model : bool
        Whether the trained model is kept.
    """

    listen: tuple[str, ...] = ()
    diagnose_every: int = 0
    model: bool = False


@dataclass(frozen=True)
class Trial:
    """Everything that a training and its evaluation depend on.

    Attributes
    ----------
    model : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        Of the model; the others have their defaults.
    signal : Signal
        Rate, prime and high-pass filter.
    clips : Path
        File of the notes.
    train : tuple of str
        Ids of the notes that the model is trained on; none for a model without training.
    validation : tuple of str
        Ids of the notes that select the epoch. Without any the last epoch is selected, as the
        authors of the paper did.
    evaluation : mapping of str to tuple of str
        Ids of the notes of each evaluation set.
    seed : int
        Of initial weights, order of notes, and noise.
    check_every : int
        Epochs between two evaluations on the validation notes.
    seconds : float or None
        Longest training (s); it ends after the epoch in which they are over, and counts as
        complete. Which epoch that is depends on the machine.
    padded_seconds : float or None
        Length to which training notes are padded with silence, as the authors did (s).
    evaluation_highpass_hz : float or None
        Corner of the filter that is applied before scoring, for clips that hold rumble (Hz).
    prune : PruneRule or None
        Ends the training early; one that it does not end has the same result without it.
    artifacts : Artifacts
        Outputs besides the figures.
    """

    model: str
    settings: Mapping[str, Any]
    signal: Signal
    clips: Path
    train: tuple[str, ...]
    evaluation: Mapping[str, tuple[str, ...]]
    seed: int
    validation: tuple[str, ...] = ()
    check_every: int = 10
    seconds: float | None = None
    padded_seconds: float | None = None
    evaluation_highpass_hz: float | None = None
    prune: PruneRule | None = None
    artifacts: Artifacts = field(default_factory=Artifacts)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of settings, notes, seed, and the code that the figures depend on.

        Trials with the same fingerprint have the same result, and one of them is run. The
        fingerprint does not depend on artifacts, on the path of the clips, on when a training is
        pruned, or on comments in the code.

        Raises
        ------
        UserError
            For settings that the model does not have, or notes that the file does not hold.
        """
        text = json.dumps(self._identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _identity(self) -> dict[str, Any]:
        """Everything that the figures depend on, as plain data."""
        from notedecay.experiments.fingerprint import full_settings, notes_digest, training_code

        def notes(ids: tuple[str, ...]) -> str:
            return notes_digest(self.clips, ids)

        return {
            "model": self.model,
            "settings": full_settings(self.model, self.settings),
            "signal": self.signal.model_dump(),
            "train": notes(self.train),
            "validation": notes(self.validation),
            "check_every": self.check_every if self.validation else None,
            "evaluation": {name: notes(ids) for name, ids in self.evaluation.items()},
            "seconds": self.seconds,
            "padded_seconds": self.padded_seconds,
            "evaluation_highpass_hz": self.evaluation_highpass_hz,
            "seed": self.seed,
            "code": training_code(self.model),
        }
