"""Net of the linear recurrent unit: diagonal complex recurrences, computed by a parallel scan.

Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023 (the linear
recurrent unit); Smith et al., "Simplified state space layers for sequence modeling", 2023 (the
parallel scan).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from notedecay.models.recurrent.net import BlockNet

SIXTY_DB = math.log(1e3)
"""Nepers that a partial loses in its T60."""

T60_RANGE = (0.2, 20.0)
"""Range of the initial T60 of the states (s)."""

MIN_DECAY = 1e-6
"""Smallest decay of a state (nepers per block), so that none rings for ever."""

BLOCKS_AT_A_TIME = 16
"""Blocks of silence in a call of the net: one takes hardly less time than some."""


def scan(inputs: Tensor, eigenvalues: Tensor, before: Tensor) -> Tensor:
    """Compute ``x[t] = eigenvalue * x[t - 1] + input[t]`` over all blocks in O(log blocks) steps.

    After each step a state includes twice as many inputs. Only powers of the eigenvalues
    occur, so that nothing grows where none of them is above 1.

    Parameters
    ----------
    inputs : complex tensor, shape (notes, blocks, states)
        One block or more.
    eigenvalues : complex tensor, shape (states,)
        Modulus 1 or less.
    before : complex tensor, shape (notes, states)
        States before the first block.

    Returns
    -------
    complex tensor, shape (notes, blocks, states)

    Examples
    --------
    >>> ones = torch.ones(1, 4, 1, dtype=torch.complex64)
    >>> halves = torch.tensor([0.5 + 0j])
    >>> scan(ones, halves, torch.zeros(1, 1)).real.flatten().tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    first = inputs[:, :1] + eigenvalues * before[:, None]
    states = torch.cat([first, inputs[:, 1:]], dim=1)
    included, power = 1, eigenvalues
    while included < states.shape[1]:
        states = states + power * pad(states[:, :-included], (0, 0, included, 0))
        included, power = 2 * included, power * power
    return states


class LinearRecurrence(nn.Module):
    """Damped oscillations that the inputs excite.

    Parameters
    ----------
    units : int
        Width of inputs and outputs.
    states : int
        Number of complex states.
    blocks_per_second : float
        Converts decay per block to seconds.
    """

    def __init__(self, units: int, states: int, blocks_per_second: float) -> None:
        super().__init__()
        self.blocks_per_second = blocks_per_second
        self.log_decay = nn.Parameter(torch.zeros(states))
        self.angle = nn.Parameter(torch.zeros(states))
        self.input_layer = nn.Linear(units, 2 * states, bias=False)
        self.output_layer = nn.Linear(2 * states, units, bias=False)
        self.skip = nn.Parameter(torch.ones(units))

    @property
    def decay(self) -> Tensor:
        """Decay of each state (nepers per block), shape (states,), above 0."""
        return self.log_decay.exp() + MIN_DECAY

    @property
    def eigenvalues(self) -> Tensor:
        """Factor of each state per block: complex, shape (states,), modulus below 1."""
        return torch.polar((-self.decay).exp(), self.angle)

    @property
    def t60(self) -> Tensor:
        """T60 of each state (s), shape (states,)."""
        return SIXTY_DB / (self.decay * self.blocks_per_second)

    def forward(self, inputs: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run over all blocks.

        Parameters
        ----------
        inputs : tensor, shape (notes, blocks, units)
        before : complex tensor, shape (notes, states), or None
            States after an earlier call; None for zeros.

        Returns
        -------
        outputs : tensor, shape (notes, blocks, units)
        states : complex tensor, shape (notes, blocks, states)
            After each block.
        """
        excitation = torch.view_as_complex(self.input_layer(inputs).unflatten(-1, (-1, 2)))
        gain = (-torch.expm1(-2 * self.decay)).sqrt()  # slow states sum up more inputs
        silence = excitation.new_zeros(len(inputs), excitation.shape[2])
        states = scan(gain * excitation, self.eigenvalues, silence if before is None else before)
        outputs = self.output_layer(torch.view_as_real(states).flatten(-2)) + self.skip * inputs
        return outputs, states

    def init_weights(self, generator: torch.Generator) -> None:
        """Initialise: log T60 uniform over :data:`T60_RANGE`, angles uniform over the half circle.

        The other half would be the same oscillations, since outputs are real.
        """
        fast, slow = (math.log(SIXTY_DB / (t60 * self.blocks_per_second)) for t60 in T60_RANGE)
        nn.init.uniform_(self.log_decay, slow, fast, generator=generator)
        nn.init.uniform_(self.angle, 0.0, math.pi, generator=generator)
        for layer in (self.input_layer, self.output_layer):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.ones_(self.skip)


class RecurrentLayer(nn.Module):
    """A linear recurrence and a linear mixing of its outputs, with a skip connection.

    Parameters
    ----------
    recurrence : LinearRecurrence
        Recurrence of the layer.
    """

    def __init__(self, recurrence: LinearRecurrence) -> None:
        super().__init__()
        units = recurrence.skip.numel()
        self.recurrence = recurrence
        self.value = nn.Linear(units, units, bias=False)

    def forward(self, inputs: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run over all blocks, as :class:`LinearRecurrence`; returns the last states alone."""
        outputs, states = self.recurrence(inputs, before)
        return inputs + self.value(outputs), states[:, -1]

    def init_weights(self, generator: torch.Generator) -> None:
        """Initialise the weights so that the layer changes little."""
        self.recurrence.init_weights(generator)
        nn.init.xavier_uniform_(self.value.weight, gain=0.1, generator=generator)


class LinearRecurrentNet(BlockNet):
    """Dense layer, linear recurrent layers, dense layer.

    The net is linear without constants: at half the level it continues a sound by the same
    at half the level, however far the sound has decayed.

    Parameters
    ----------
    size : int
        Samples in a block.
    layers : sequence of RecurrentLayer
        From the first to the last, one or more.
    """

    def __init__(self, size: int, layers: Sequence[RecurrentLayer]) -> None:
        super().__init__()
        units = layers[0].recurrence.skip.numel()
        self.input_layer = nn.Linear(size, units, bias=False)
        self.layers = nn.ModuleList(layers)
        self.output_layer = nn.Linear(units, size, bias=False)

    @property
    def core(self) -> nn.ModuleList:
        """Recurrent layers."""
        return self.layers

    def forward(self, blocks: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Predict the next block after each block; blocks as in :class:`BlockNet`.

        ``memory`` is the state of an earlier call to go on from, complex, of shape (layers,
        notes, states), as it is returned.
        """
        hidden, after = self.input_layer(blocks), []
        for number, layer in enumerate(self.layers):
            hidden, last = layer(hidden, None if memory is None else memory[number])
            after.append(last)
        return self.output_layer(hidden), torch.stack(after)

    def stream(self, prime: Tensor) -> Iterator[Tensor]:
        """Generate blocks from the freely decaying states; shapes as in :class:`BlockNet`.

        The generated blocks are no inputs: no error accumulates, and nothing can grow.
        """
        predicted, memory = self(prime)
        yield predicted[:, -1]
        silence = prime.new_zeros(len(prime), BLOCKS_AT_A_TIME, prime.shape[2])
        while True:
            predicted, memory = self(silence, memory)
            yield from predicted.unbind(1)

    def init_weights(self, generator: torch.Generator, recurrent_gain: float) -> None:  # noqa: ARG002
        """Initialise the weights; the recurrence has its own distribution, without a gain."""
        for dense in (self.input_layer, self.output_layer):
            nn.init.xavier_uniform_(dense.weight, generator=generator)
        for layer in self.layers:
            assert isinstance(layer, RecurrentLayer)
            layer.init_weights(generator)
