"""Training examples by batch: those of all notes at once may need more memory than there is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from notedecay.data.note import Clip

Examples = tuple[Tensor, ...]
"""Training examples: tensors whose first axis counts the notes."""


class Batches(ABC):
    """Training examples of some notes, of which a batch is made when it is needed."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of notes, augmentation included."""

    @abstractmethod
    def batch(self, notes: Tensor) -> Examples:
        """Examples of some notes, given by their indices, in that order."""

    def to(self, device: torch.device) -> Batches:  # noqa: ARG002
        """The same on a device, for examples that are kept; others are moved by batch."""
        return self


class InMemory(Batches):
    """Examples that are kept: small ones, or such that take long to make."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        """Number of notes."""
        return len(self._examples[0])

    def batch(self, notes: Tensor) -> Examples:
        """Examples of some notes."""
        return tuple(tensor[notes.to(tensor.device)] for tensor in self._examples)

    def to(self, device: torch.device) -> InMemory:
        """The same on a device."""
        return InMemory(tuple(tensor.to(device) for tensor in self._examples))


class ByNote(Batches):
    """Examples that are made anew for each batch, in memory that does not grow with the notes.

    A batch is the same, bit for bit, as if all notes were made at once.

    Parameters
    ----------
    make : callable
        Makes examples of some clips, tensors of shape (notes, steps, ...) that are filled up with
        zeros to the longest of these notes.
    clips : sequence of Clip
        All notes, augmentation included.
    steps : int
        Of the longest of all notes, to which each batch is filled up.
    """

    def __init__(
        self, make: Callable[[Sequence[Clip]], Examples], clips: Sequence[Clip], steps: int
    ) -> None:
        self._make, self._clips, self._steps = make, clips, steps

    def __len__(self) -> int:
        """Number of notes."""
        return len(self._clips)

    def batch(self, notes: Tensor) -> Examples:
        """Examples of some notes."""
        made = self._make([self._clips[index] for index in notes.tolist()])
        return tuple(self._filled(tensor) for tensor in made)

    def _filled(self, tensor: Tensor) -> Tensor:
        other_axes = [0, 0] * (tensor.dim() - 2)
        return nn.functional.pad(tensor, [*other_axes, 0, self._steps - tensor.shape[1]])
