"""A fit written down, so that it can be interrupted and end the same."""

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
class Progress:
    """What changes while a fit goes on.

    Attributes
    ----------
    epoch : int
        Epochs done.
    net, optimiser : dict
        Their state.
    chance : tensor
        State of the random generator.
    """

    epoch: int
    net: dict[str, Any]
    optimiser: dict[str, Any]
    chance: torch.Tensor


def identity(continuator: LearnedContinuator[Any], clips: Sequence[Clip], seed: int) -> str:
    """Hash all that a fit depends on: the same identity gives the same result."""
    described = json.dumps([continuator.description(), seed], sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for clip in clips:
        digest.update(clip.id.encode())
        digest.update(clip.samples.tobytes())
    return digest.hexdigest()


def write(folder: Path, fit: str, progress: Progress) -> None:
    """Write the progress of a fit, replacing the earlier one only when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as path:
        torch.save({"fit": fit, **vars(progress)}, path)


def read(folder: Path, fit: str) -> Progress | None:
    """Read how far a fit came, None where it was not begun or the file is of another fit.

    Raises
    ------
    UserError
        For a file that is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        if values.pop("fit") != fit:
            return None
        return Progress(**values)
    except (
        OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError, ValueError,
        AttributeError,
    ) as error:  # fmt: skip
        command = pasteable("rm", path)
        raise UserError(f"checkpoint {path} is damaged; to train afresh, run {command}") from error
