"""A trial: what is trained and evaluated, as plain data, and what it leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a process pool need not wait for torch
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
    """What a trial leaves beside its figures, which do not depend on it.

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
    """All that a training and its evaluation depend on.

    Attributes
    ----------
    model : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        Of the model; what is left out has a default.
    signal : Signal
        Rate, prime and high-pass filter.
    clips : Path
        File of the notes.
    train : tuple of str
        Ids of the notes that the model is trained on; none for a model without training.
    validation : tuple of str
        Ids of the notes that select the epoch; without any the last epoch is kept, as the
        authors of the paper did.
    evaluation : mapping of str to tuple of str
        Ids of the notes of each evaluation set.
    seed : int
        Of weights, order and noise.
    check_every : int
        Epochs between two evaluations on the validation notes.
    padded_seconds : float or None
        Length to which training notes are filled up with silence, as the authors did (s).
    evaluation_highpass_hz : float or None
        Corner of the filter through which original and continuation are scored, where rumble
        was left in the clips (Hz).
    artifacts : Artifacts
        What is left beside the figures.
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
    padded_seconds: float | None = None
    evaluation_highpass_hz: float | None = None
    artifacts: Artifacts = field(default_factory=Artifacts)

    @cached_property
    def fingerprint(self) -> str:
        """One word for all of it: settings, notes, seed, and the code that the figures depend on.

        A trial with the same fingerprint has the same result, and is not run again. Whatever
        leaves the figures as they are (artifacts, where the notes lie, a comment in the code)
        leaves the fingerprint.
        """
        from notedecay.experiments.fingerprint import identity_of

        text = json.dumps(identity_of(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
