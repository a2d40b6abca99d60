"""What a continuator that learns adds: a net, a loss and weights in a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from notedecay.continuators.base import Continuator, ContinuatorConfig, Signal
from notedecay.errors import UserError
from notedecay.files import replacing
from notedecay.notes.note import Clip, Samples

WEIGHTS = "weights.safetensors"
"""File in a learned continuator's folder that holds what it learned."""

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

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``continuator.json`` into an existing folder."""
        with replacing(folder / WEIGHTS) as path:
            save_file({k: v.contiguous() for k, v in self.state().items()}, path)
        super().save(folder)

    @classmethod
    def load(cls, folder: Path, signal: Signal, config: L) -> Self:
        """Rebuild from a folder written by :meth:`save`.

        Raises
        ------
        UserError
            For weights that are missing, damaged or of another shape.
        """
        continuator = cls(signal, config)
        try:
            continuator.restore(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"cannot use the weights {folder / WEIGHTS}: {reason}; fetch or train them again"
            ) from error
        return continuator
