"""The frame that the block models share: dense layer, recurrent core, dense layer.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from notedecay.models.recurrent.convolutions import Convolutions

Activation = Literal["linear", "tanh", "relu"]
Core = nn.LSTM | nn.GRU
Memory = Tensor | tuple[Tensor, Tensor]
"""What a core carries on, each of shape (layers, notes, units)."""

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


def heard_size(size: int, spectral: bool) -> int:
    """Count what the net hears of a block: its samples, and its Fourier parts if asked."""
    return size + 2 * (size // 2 + 1) if spectral else size


def with_spectrum(blocks: Tensor) -> Tensor:
    """Append to each block the real and the imaginary parts of its Fourier transform.

    Parameters
    ----------
    blocks : tensor, shape (..., size)

    Returns
    -------
    tensor, shape (..., size + 2 * (size // 2 + 1))
        The transform keeps the energy, so that both halves are of one order.
    """
    spectrum = torch.fft.rfft(blocks, norm="ortho")
    return torch.cat([blocks, spectrum.real, spectrum.imag], dim=-1)


class BlockNet(nn.Module, ABC):
    """A net that hears blocks through a recurrent core and runs on.

    Attributes
    ----------
    mean, std : tensor, shape ()
        Of the samples of the training notes, where the level is ``global``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    @property
    @abstractmethod
    def core(self) -> nn.Module:
        """The recurrent layers."""

    @abstractmethod
    def forward(self, blocks: Tensor) -> tuple[Tensor, Memory]:
        """Predict the next block after each block, both of shape (notes, blocks, size)."""

    @abstractmethod
    def run_on(self, heard: Tensor, blocks: int) -> Tensor:
        """Make so many blocks after those heard, each step in constant time."""

    def draw(self, generator: torch.Generator, recurrent_gain: float) -> None:
        """Draw the weights as the paper did: Glorot, orthogonal recurrence, forget bias 1."""
        core = self.core
        assert isinstance(core, Core)
        units = core.hidden_size
        for name, weight in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(weight)
            elif weight.dim() == 1:  # the scale of a normalisation
                nn.init.ones_(weight)
            elif "weight_hh" in name:
                for gate in torch.split(weight.detach(), units):
                    nn.init.orthogonal_(gate, recurrent_gain, generator=generator)
            elif "weight_ih" in name:
                for gate in torch.split(weight.detach(), units):
                    nn.init.xavier_uniform_(gate, generator=generator)
            else:
                nn.init.xavier_uniform_(weight, generator=generator)
            if "bias_ih" in name and isinstance(core, nn.LSTM):
                weight.detach()[units : 2 * units] = 1.0
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.reset_running_stats()


class Net(BlockNet):
    """A block in, the next block out.

    Parameters
    ----------
    size : int
        Samples in a block.
    core : torch.nn.LSTM or torch.nn.GRU
        Batch first; its inputs are the dense layer's units, or what is heard where there is
        no dense layer.
    activation, output_activation : str
        Of the dense layers before and after the core.
    spectral : bool
        Whether the net hears the block's Fourier parts too.
    front : Convolutions, optional
        Between what is heard and the dense layer.
    dense : bool
        Whether there is a dense layer before the core.
    """

    def __init__(
        self,
        size: int,
        core: Core,
        *,
        activation: Activation,
        output_activation: Activation,
        spectral: bool,
        front: Convolutions | None = None,
        dense: bool = True,
    ) -> None:
        super().__init__()
        self.spectral = spectral
        self.front = front
        width = front.width if front else heard_size(size, spectral)
        self.inward = nn.Linear(width, core.input_size) if dense else nn.Identity()
        self.activation = ACTIVATIONS[activation]() if dense else nn.Identity()
        self._core = "gru" if isinstance(core, nn.GRU) else "lstm"
        self.add_module(self._core, core)  # the name under which weights are in files
        self.outward = nn.Linear(core.hidden_size, size)
        self.output_activation = ACTIVATIONS[output_activation]()

    @property
    def core(self) -> Core:
        """The recurrent layers."""
        core = self.get_submodule(self._core)
        assert isinstance(core, Core)
        return core

    def forward(
        self, blocks: Tensor, memory: Memory | None = None, known: Tensor | None = None
    ) -> tuple[Tensor, Memory]:
        """Predict the next block after each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        memory : tensor or pair of tensors, optional
            Where an earlier call left off.
        known : tensor, shape (notes, blocks, 1), optional
            0 for padding, which then counts in no statistics.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        memory : tensor or pair of tensors
            To carry on from.
        """
        heard = with_spectrum(blocks) if self.spectral else blocks
        if self.front is not None:
            heard = self.front(heard, known)
        hidden, memory = self.core(self.activation(self.inward(heard)), memory)
        return self.output_activation(self.outward(hidden)), memory

    def run_on(self, heard: Tensor, blocks: int) -> Tensor:
        """Predict from its own predictions, each step in constant time.

        Parameters
        ----------
        heard : tensor, shape (notes, heard, size)
            The prime's blocks.
        blocks : int
            How many to make, 1 or more.

        Returns
        -------
        tensor, shape (notes, blocks, size)
        """
        all_predicted, memory = self(heard)
        block = all_predicted[:, -1:]
        predicted = [block]
        while len(predicted) < blocks:
            block, memory = self(block, memory)
            predicted.append(block)
        return torch.cat(predicted, dim=1)
