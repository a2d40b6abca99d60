"""Identity of a trial: hashes of settings, notes, and the code that its figures depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from notedecay.core.digests import code_digest
from notedecay.core.validation import parse
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.experiments.trial import Trial
from notedecay.models import MODELS

TRAINING = ("notedecay.experiments.execute",)
EVALUATION = ("notedecay.metrics", "notedecay.training.evaluator")
NO_FIGURES = (
    "notedecay.core",
    "notedecay.data.clips",
    "notedecay.experiments.fingerprint",
    "notedecay.experiments.store",
    "notedecay.models.__init__",
    "notedecay.plots",
    "notedecay.training.diagnostics",
    "notedecay.training.device",
    "notedecay.training.listening",
)
"""Code that figures do not depend on. Clips are hashed by their samples, and a model by its own
code instead of the table of all models."""


def identity_of(trial: Trial) -> dict[str, Any]:
    """Everything that the figures of a trial depend on, as plain data.

    Raises
    ------
    UserError
        For settings that the model does not have, or notes that the file does not hold.
    """
    return {
        "model": trial.model,
        "settings": full_settings(trial.model, trial.settings),
        "signal": trial.signal.model_dump(),
        "train": notes_digest(trial.clips, trial.train),
        "validation": notes_digest(trial.clips, trial.validation),
        "check_every": trial.check_every if trial.validation else None,
        "evaluation": {
            name: notes_digest(trial.clips, ids) for name, ids in trial.evaluation.items()
        },
        "padded_seconds": trial.padded_seconds,
        "evaluation_highpass_hz": trial.evaluation_highpass_hz,
        "seed": trial.seed,
        "code": training_code(trial.model),
    }


def full_settings(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, completed with the defaults of the model."""
    if model not in MODELS:
        return dict(settings)
    return parse(MODELS[model].Config, dict(settings), model).model_dump()


@cache
def training_code(model: str) -> str:
    """Hash of the code of a model, of training, and of metrics."""
    own = (MODELS[model].__module__,) if model in MODELS else ()
    return code_digest((*TRAINING, *EVALUATION, *own), NO_FIGURES)


@cache
def evaluation_code() -> str:
    """Hash of the code that scores continuations."""
    return code_digest(EVALUATION, NO_FIGURES)


def notes_digest(path: Path, ids: Iterable[str]) -> str:
    """Hash of some notes of a file of clips: ids, rates and samples."""
    digests = _clip_digests(path, path.stat().st_mtime_ns)
    return hashlib.sha256("\n".join(digests[id_] for id_ in ids).encode()).hexdigest()[:16]


@cache
def _clip_digests(path: Path, _changed: int) -> dict[str, str]:
    return {clip.id: _digest(clip) for clip in read_clips(path)}


def _digest(clip: Clip) -> str:
    head = f"{clip.id} {clip.pitch} {clip.rate}".encode()
    return hashlib.sha256(head + clip.samples.tobytes()).hexdigest()
