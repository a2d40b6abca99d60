"""Checkpoints of a fit, from which an interrupted one goes on and ends the same."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from notedecay.core.commands import pasteable
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip
from notedecay.models.learned import LearnedContinuator

FILE = "fit.pt"


@dataclass(frozen=True)
class Checkpoint:
    """State of a fit after an epoch.

    Attributes
    ----------
    epoch : int
        Epochs completed.
    net, optimiser : dict
        State of the net and of the optimiser.
    rng : tensor
        State of the random generator.
    """

    epoch: int
    net: dict[str, Any]
    optimiser: dict[str, Any]
    rng: torch.Tensor


def fit_identity(model: LearnedContinuator[Any], clips: Sequence[Clip], seed: int) -> str:
    """Hash all that a fit depends on: the same identity gives the same result."""
    described = json.dumps([model.description(), seed], sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for clip in clips:
        digest.update(clip.id.encode())
        digest.update(clip.samples.tobytes())
    return digest.hexdigest()


def write_checkpoint(folder: Path, fit: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint of a fit atomically; ``fit`` is its identity."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as path:
        torch.save({"fit": fit, **vars(checkpoint)}, path)


def read_checkpoint(folder: Path, fit: str) -> Checkpoint | None:
    """Read the checkpoint of a fit; None without a file, or for one of another identity.

    Raises
    ------
    UserError
        For a damaged file.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        if values.pop("fit") != fit:
            return None
        return Checkpoint(**values)
    except (
        OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError, ValueError,
        AttributeError,
    ) as error:  # fmt: skip
        command = pasteable("rm", path)
        raise UserError(f"checkpoint {path} is damaged; to train afresh, run {command}") from error
