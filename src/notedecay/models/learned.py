"""Base class of models that learn: a net, a loss, and weights in a file."""

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
from notedecay.models.base import Continuator, ContinuatorConfig, Signal
from notedecay.models.batches import Batches
from notedecay.models.batches import Examples as Examples
from notedecay.models.formats import DESCRIPTION, current_weight_name
from notedecay.models.note_cache import NoteCache

WEIGHTS = "weights.safetensors"
"""File in a trained model's folder that holds its weights."""

MEND = "fetch or train them again"


class LearnedConfig(ContinuatorConfig):
    """Training settings; each model adds those of its net.

    Attributes
    ----------
    epochs : int
        Passes over the training notes.
    batch : int
        Notes per optimiser step.
    optimiser : str
        ``adam``, or the paper's ``rmsprop`` (rho 0.9).
    learning_rate : float
        Learning rate of the first epoch.
    schedule : str
        ``constant``, or ``cosine``: down to nearly 0 in the last epoch.
    clip_norm : float
        Largest norm of the gradient; a larger one is scaled down to it.
    """

    epochs: int = Field(default=60, ge=1, le=100_000)
    batch: int = Field(default=16, ge=1, le=4096)
    optimiser: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = Field(default=2e-3, gt=0.0, le=1.0)
    schedule: Literal["constant", "cosine"] = "cosine"
    clip_norm: float = Field(default=1.0, gt=0.0)


L = TypeVar("L", bound=LearnedConfig)


class LearnedContinuator(Continuator[L]):
    """A model with a net; ``notedecay.training.fit`` trains it.

    Attributes
    ----------
    net : torch.nn.Module
        Its parameters are trained; its buffers hold statistics of the training notes.
    cache : NoteCache or None
        Where a model that measures its training notes keeps what it has measured, so that the
        next training need not; None by default, and in a model that is read from a file.
    """

    learned: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = (DESCRIPTION, WEIGHTS)
    net: nn.Module
    cache: NoteCache | None = None

    @abstractmethod
    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples | Batches:
        """Initialise the weights, set the net's statistics, and make the training examples.

        Parameters
        ----------
        clips : sequence of Clip
            The training notes.
        generator : torch.Generator
            On the CPU; the only source of random numbers.

        Returns
        -------
        tuple of tensors, each of shape (notes, ...), or Batches
            On the CPU. Augmentation may make more notes than there are clips. A model whose
            examples are about as large as the notes makes them by batch.
        """

    @abstractmethod
    def examples(self, clips: Sequence[Clip]) -> Examples:
        """Make examples of any notes, without augmentation and without changing the net.

        Parameters
        ----------
        clips : sequence of Clip
            Training notes or others.

        Returns
        -------
        tuple of tensors, each of shape (notes, ...)
            On the CPU; :meth:`loss` takes them.
        """

    @abstractmethod
    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Loss of a batch, a scalar; net and examples are on one device."""

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Continue one prime, as a batch of one."""
        return self.continue_primes([prime], [samples])[0]

    @abstractmethod
    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue several primes as one batch."""

    @property
    def device(self) -> torch.device:
        """Device of the net."""
        return next(self.net.parameters()).device

    def state(self) -> dict[str, Tensor]:
        """Copy the weights and buffers of the net to the CPU."""
        return {k: v.detach().to("cpu", copy=True) for k, v in self.net.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Set the weights and buffers to those that :meth:`state` gave."""
        self.net.load_state_dict(state)

    def not_finite(self) -> str | None:
        """Name of a tensor of the net that holds NaN or infinity; None without one."""
        return not_finite(self.net.state_dict())

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors``, ``model.json`` and their checksums.

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
        """Read a model from a folder written by :meth:`save`.

        Raises
        ------
        UserError
            For weights that are missing, damaged, not finite or of another shape.
        """
        model = cls(signal, config)
        path = folder / WEIGHTS
        state = _read(path)
        if broken := not_finite(state):
            raise DamagedError(f"cannot use the weights {path}: {broken} is not finite; {MEND}")
        try:
            _check_types(state, model.net.state_dict())
            model.restore(state)
        except (RuntimeError, TypeError) as error:
            raise UserError(f"cannot use the weights {path}: {_line(error)}; {MEND}") from error
        return model


def not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Name of a tensor that holds NaN or infinity; None without one."""
    return next((name for name, v in state.items() if not bool(torch.isfinite(v).all())), None)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return {current_weight_name(name): tensor for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DamagedError(f"cannot use the weights {path}: {_line(error)}; {MEND}") from error


def _check_types(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse tensors of another type, which torch would convert without a word."""
    for name, tensor in state.items():
        if name in own and tensor.dtype != own[name].dtype:
            raise TypeError(f"{name} is of {tensor.dtype} instead of {own[name].dtype}")


def _line(error: Exception) -> str:
    """An error's message as one line of at most 200 characters."""
    return " ".join(str(error).split())[:200]
