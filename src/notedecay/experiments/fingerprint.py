"""Parts of the identity of a trial: its full settings, hashes of its notes and of its code."""

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
from notedecay.models import MODELS

TRAINING = ("notedecay.experiments.execute",)
EVALUATION = ("notedecay.metrics", "notedecay.training.evaluator")
NO_FIGURES = (
    "notedecay.core",
    "notedecay.experiments.cost",
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
