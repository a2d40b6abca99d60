"""What a continuator that learns adds: a net, a loss and weights in a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from notedecay.audio.samples import Samples
from notedecay.core.errors import DamagedError, UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip
from notedecay.models.base import DESCRIPTION, Continuator, ContinuatorConfig, Signal

WEIGHTS = "weights.safetensors"
"""File in a learned continuator's folder that holds what it learned."""

MEND = "fetch or train them again"

Examples = tuple[Tensor, ...]
"""Tensors whose first axis counts the notes."""


class LearnedConfig(ContinuatorConfig):
    """How a continuator is trained; each adds what its net looks like.

    Attributes
    ----------
    epochs : int
        Passes over the notes.
    batch : int
        Notes per step.
    optimiser : str
        ``adam``, or the paper's ``rmsprop`` (rho 0.9).
    learning_rate : float
        Step size at the start.
    schedule : str
        ``constant``, or ``cosine``: down to nothing at the last epoch.
    clip_norm : float
        Longest gradient; a longer one is shortened to it.
    """

    epochs: int = Field(default=60, ge=1, le=100_000)
    batch: int = Field(default=16, ge=1, le=4096)
    optimiser: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = Field(default=2e-3, gt=0.0, le=1.0)
    schedule: Literal["constant", "cosine"] = "cosine"
    clip_norm: float = Field(default=1.0, gt=0.0)


L = TypeVar("L", bound=LearnedConfig)


class LearnedContinuator(Continuator[L]):
    """A continuator with a net; ``notedecay.training.fit`` trains it.

    Attributes
    ----------
    net : torch.nn.Module
        Its parameters are trained; its buffers hold what else it took from the notes.
    progress : float
        Share of the training that the epoch under way completes, above 0 to 1, for a loss
        that changes on the way; ``fit`` says it before each epoch.
    """

    learned: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = (DESCRIPTION, WEIGHTS)
    progress: float = 1.0
    net: nn.Module

    @abstractmethod
    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        """Begin afresh: draw the weights, measure the notes, and frame them.

        Parameters
        ----------
        clips : sequence of Clip
            The training notes.
        generator : torch.Generator
            On the CPU; the only source of chance.

        Returns
        -------
        tuple of tensors, each of shape (notes, ...)
            On the CPU.
        """

    @abstractmethod
    def examples(self, clips: Sequence[Clip]) -> Examples:
        """Frame notes, learned or not, as :meth:`loss` takes them; nothing is drawn or measured.

        Parameters
        ----------
        clips : sequence of Clip
            Taken as they are.

        Returns
        -------
        tuple of tensors, each of shape (notes, ...)
            On the CPU.
        """

    @abstractmethod
    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Loss of some notes, a scalar; on the net's device, as the examples are."""

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Continue one prime, as a batch of one."""
        return self.continue_primes([prime], [samples])[0]

    @abstractmethod
    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue many primes as one batch."""

    @property
    def device(self) -> torch.device:
        """Where the net is."""
        return next(self.net.parameters()).device

    def state(self) -> dict[str, Tensor]:
        """Copy all that was learned, to the CPU."""
        return {k: v.detach().to("cpu", copy=True) for k, v in self.net.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what :meth:`state` gave."""
        self.net.load_state_dict(state)

    def not_finite(self) -> str | None:
        """Name of a tensor of the net that holds NaN or infinity; None where all is well."""
        return not_finite(self.net.state_dict())

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors``, ``continuator.json`` and their checksums.

        Raises
        ------
        UserError
            For weights that are not finite.
        """
        state = self.state()
        if broken := not_finite(state):
            raise UserError(
                f"{self.name}: {broken} is not finite, so it cannot be saved in {folder}; "
                "train again with a lower learning_rate or clip_norm"
            )
        with replacing(folder / WEIGHTS) as path:
            save_file({k: v.contiguous() for k, v in state.items()}, path)
        super().save(folder)

    @classmethod
    def load(cls, folder: Path, signal: Signal, config: L) -> Self:
        """Rebuild from a folder written by :meth:`save`.

        Raises
        ------
        UserError
            For weights that are missing, damaged, not finite or of another shape.
        """
        continuator = cls(signal, config)
        path = folder / WEIGHTS
        state = _read(path)
        if broken := not_finite(state):
            raise DamagedError(f"cannot use the weights {path}: {broken} is not finite; {MEND}")
        try:
            _same_types(state, continuator.net.state_dict())
            continuator.restore(state)
        except (RuntimeError, TypeError) as error:
            raise UserError(f"cannot use the weights {path}: {_line(error)}; {MEND}") from error
        return continuator


def not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Name of a tensor that holds NaN or infinity; None where all is well."""
    return next((name for name, v in state.items() if not bool(torch.isfinite(v).all())), None)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DamagedError(f"cannot use the weights {path}: {_line(error)}; {MEND}") from error


def _same_types(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse what torch would convert in silence."""
    for name, tensor in state.items():
        if name in own and tensor.dtype != own[name].dtype:
            raise TypeError(f"{name} is of {tensor.dtype} instead of {own[name].dtype}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
