"""Nets that predict a note block by block: dense layer, recurrent core, dense layer.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from notedecay.models.recurrent.convolutions import Convolutions
from notedecay.models.recurrent.feedback import (
    Core,
    FoldedFeedback,
    LayerState,
    free_running,
    layer_gates,
)

Activation = Literal["linear", "tanh", "relu"]
Memory = Tensor | tuple[Tensor, Tensor]
"""State of a core between calls, each tensor of shape (layers, notes, units)."""

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


def input_size(size: int, spectral: bool) -> int:
    """Count the inputs of the net per block: its samples, and its Fourier parts if ``spectral``."""
    return size + 2 * (size // 2 + 1) if spectral else size


def with_spectrum(blocks: Tensor) -> Tensor:
    """Append the real and the imaginary parts of its Fourier transform to each block.

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
    """A recurrent net on blocks of samples.

    Attributes
    ----------
    mean, std : tensor, shape ()
        Mean and standard deviation of the training notes' samples, where the level is
        ``global``; else 0 and 1.
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
        """Recurrent layers."""

    @abstractmethod
    def forward(self, blocks: Tensor) -> tuple[Tensor, Memory]:
        """Predict the next block after each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        memory : tensor or pair of tensors
            State after the last block.
        """

    @abstractmethod
    def stream(self, prime: Tensor) -> Iterator[Tensor]:
        """Generate the blocks after a prime for ever, each in constant time and memory.

        Parameters
        ----------
        prime : tensor, shape (notes, prime blocks, size)
            Blocks of the prime, normalised.

        Yields
        ------
        tensor, shape (notes, size)
        """

    def generate(self, prime: Tensor, blocks: int) -> Tensor:
        """Generate the blocks after a prime.

        Parameters
        ----------
        prime : tensor, shape (notes, prime blocks, size)
            Blocks of the prime, normalised.
        blocks : int
            Number of blocks to generate, 1 or more.

        Returns
        -------
        tensor, shape (notes, blocks, size)
        """
        made = prime.new_empty(len(prime), blocks, prime.shape[2])
        for number, block in zip(range(blocks), self.stream(prime), strict=False):
            made[:, number] = block
        return made

    def init_weights(self, generator: torch.Generator, recurrent_gain: float) -> None:
        """Initialise as the paper did: Glorot, orthogonal recurrence, forget bias 1."""
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
    """Dense layer, LSTM or GRU, dense layer; with or without convolutions before them.

    Parameters
    ----------
    size : int
        Samples in a block.
    core : torch.nn.LSTM or torch.nn.GRU
        Batch first; its inputs are the dense layer's units, or the net's inputs where there
        is no dense layer.
    activation, output_activation : str
        Activations of the dense layers before and after the core.
    spectral : bool
        Whether the Fourier parts of each block are inputs too.
    convolutions : Convolutions, optional
        Layers between the inputs and the dense layer.
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
        convolutions: Convolutions | None = None,
        dense: bool = True,
    ) -> None:
        super().__init__()
        self.spectral = spectral
        self.convolutions = convolutions
        width = convolutions.width if convolutions else input_size(size, spectral)
        self.input_layer = nn.Linear(width, core.input_size) if dense else nn.Identity()
        self.activation = ACTIVATIONS[activation]() if dense else nn.Identity()
        self._core = "gru" if isinstance(core, nn.GRU) else "lstm"
        self.add_module(self._core, core)  # its name in files of weights
        self.output_layer = nn.Linear(core.hidden_size, size)
        self.output_activation = ACTIVATIONS[output_activation]()
        self._folded = FoldedFeedback()

    @property
    def core(self) -> Core:
        """Recurrent layers."""
        core = self.get_submodule(self._core)
        assert isinstance(core, Core)
        return core

    def forward(
        self, blocks: Tensor, memory: Memory | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Memory]:
        """Predict the next block after each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        memory : tensor or pair of tensors, optional
            State of an earlier call to go on from.
        mask : tensor, shape (notes, blocks, 1), optional
            0 for padding, which then counts in no statistics.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        memory : tensor or pair of tensors
            State after the last block.
        """
        hidden, memory = self.core(self._inputs(blocks, mask), memory)
        return self.output_activation(self.output_layer(hidden)), memory

    @property
    def is_affine(self) -> bool:
        """Whether there is no activation between two steps, see :meth:`feedback`."""
        between = (self.activation, self.output_activation)
        return self.convolutions is None and all(isinstance(one, nn.Identity) for one in between)

    def feedback(self, hidden: Tensor) -> Tensor:
        """Predict a block and the gates it drives; see :class:`.feedback.FedBack`."""
        core = self.core
        block = self.output_activation(self.output_layer(hidden[:, : core.hidden_size]))
        inputs = self._inputs(block[:, None], None)[:, 0]
        return torch.cat([layer_gates(core, 0, inputs, hidden[:, -core.hidden_size :]), block], 1)

    def stream(self, prime: Tensor) -> Iterator[Tensor]:
        """Generate blocks from the net's own predictions; shapes as in :class:`BlockNet`."""
        _, memory = self(prime)
        hidden, cell = memory if isinstance(memory, tuple) else (memory, memory)
        states = [LayerState(*layer) for layer in zip(hidden, cell, strict=True)]
        core = self.core
        feedback = self._folded.of(self, core.hidden_size * min(2, len(states)))
        return free_running(core, states, prime.shape[2], feedback)

    def _inputs(self, blocks: Tensor, mask: Tensor | None) -> Tensor:
        """Compute the inputs of the recurrent layers, shape (notes, blocks, inputs)."""
        inputs = with_spectrum(blocks) if self.spectral else blocks
        if self.convolutions is not None:
            inputs = self.convolutions(inputs, mask)
        inputs = self.activation(self.input_layer(inputs))
        assert isinstance(inputs, Tensor)
        return inputs
