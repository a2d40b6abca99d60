"""The net of the linear recurrence: states that are damped oscillations, all blocks at once.

Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023 (the linear
recurrent unit); Smith et al., "Simplified state space layers for sequence modeling", 2023 (the
parallel scan).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from notedecay.models.recurrent.net import BlockNet

SIXTY_DB = math.log(1e3)
"""Nepers that a partial loses in its T60."""

T60_RANGE = (0.2, 20.0)
"""Between which the T60 of the states are drawn (s)."""

SLOWEST = 1e-6
"""Nepers per block that every state loses, so that none rings for ever."""

FAINTEST = 1e-12
"""Smallest energy that is divided by, so that silence stays silence."""


def scan(inputs: Tensor, eigenvalues: Tensor, before: Tensor) -> Tensor:
    """Run ``x[t] = eigenvalue * x[t - 1] + input[t]`` over all blocks in O(log blocks) steps.

    After each step a state has heard twice as many blocks. Only powers of the eigenvalues
    occur, so that nothing grows where none of them is above 1.

    Parameters
    ----------
    inputs : complex tensor, shape (notes, blocks, states)
        Of one block or more.
    eigenvalues : complex tensor, shape (states,)
        Of modulus 1 or less.
    before : complex tensor, shape (notes, states)
        The states before the first block.

    Returns
    -------
    complex tensor, shape (notes, blocks, states)
    """
    first = inputs[:, :1] + eigenvalues * before[:, None]
    states = torch.cat([first, inputs[:, 1:]], dim=1)
    heard, power = 1, eigenvalues
    while heard < states.shape[1]:
        states = states + power * pad(states[:, :-heard], (0, 0, heard, 0))
        heard, power = 2 * heard, power * power
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
        To know the decay of a state in seconds.
    """

    def __init__(self, units: int, states: int, blocks_per_second: float) -> None:
        super().__init__()
        self.blocks_per_second = blocks_per_second
        self.log_decay = nn.Parameter(torch.zeros(states))
        self.angle = nn.Parameter(torch.zeros(states))
        self.inward = nn.Linear(units, 2 * states, bias=False)
        self.outward = nn.Linear(2 * states, units, bias=False)
        self.skip = nn.Parameter(torch.ones(units))

    @property
    def decay(self) -> Tensor:
        """What each state loses per block (nepers), shape (states,), above 0."""
        return self.log_decay.exp() + SLOWEST

    @property
    def eigenvalues(self) -> Tensor:
        """By what each state is multiplied per block: complex, shape (states,), within 1."""
        return torch.polar((-self.decay).exp(), self.angle)

    @property
    def t60(self) -> Tensor:
        """Seconds in which each state loses 60 dB, shape (states,)."""
        return SIXTY_DB / (self.decay * self.blocks_per_second)

    def forward(self, inputs: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hear all blocks.

        Parameters
        ----------
        inputs : tensor, shape (notes, blocks, units)
        before : complex tensor, shape (notes, states), or None
            Where an earlier call left off; None for silence.

        Returns
        -------
        outputs : tensor, shape (notes, blocks, units)
        states : complex tensor, shape (notes, blocks, states)
            After each block.
        """
        excitation = torch.view_as_complex(self.inward(inputs).unflatten(-1, (-1, 2)))
        gain = (-torch.expm1(-2 * self.decay)).sqrt()  # slow states gather more: all of one order
        silence = excitation.new_zeros(len(inputs), excitation.shape[2])
        states = scan(gain * excitation, self.eigenvalues, silence if before is None else before)
        outputs = self.outward(torch.view_as_real(states).flatten(-2)) + self.skip * inputs
        return outputs, states

    def draw(self, generator: torch.Generator) -> None:
        """Draw T60 evenly in its logarithm over :data:`T60_RANGE`, and angles over the half circle.

        The other half would be the same oscillations, since outputs are real.
        """
        fast, slow = (math.log(SIXTY_DB / (t60 * self.blocks_per_second)) for t60 in T60_RANGE)
        nn.init.uniform_(self.log_decay, slow, fast, generator=generator)
        nn.init.uniform_(self.angle, 0.0, math.pi, generator=generator)
        for layer in (self.inward, self.outward):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.ones_(self.skip)


class RecurrentLayer(nn.Module):
    """A recurrence, a gate that hears how strong its states are, and a way round both.

    Parameters
    ----------
    recurrence : LinearRecurrence
        Its own.
    gated : bool
        Without the gate the layer is linear.
    """

    def __init__(self, recurrence: LinearRecurrence, *, gated: bool) -> None:
        super().__init__()
        units, states = recurrence.skip.numel(), recurrence.angle.numel()
        self.recurrence = recurrence
        self.value = nn.Linear(units, units, bias=False)
        self.gate = nn.Linear(states, units) if gated else None

    def forward(self, inputs: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hear all blocks; shapes as in :class:`LinearRecurrence`, the last states alone kept."""
        outputs, states = self.recurrence(inputs, before)
        mixed = self.value(outputs)
        if self.gate is not None:
            mixed = mixed * 2 * torch.sigmoid(self.gate(_balance(states)))
        return inputs + mixed, states[:, -1]

    def draw(self, generator: torch.Generator) -> None:
        """Draw the weights so that the layer changes little, and its gate nothing."""
        self.recurrence.draw(generator)
        nn.init.xavier_uniform_(self.value.weight, gain=0.1, generator=generator)
        if self.gate is not None:
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)


class LinearRecurrentNet(BlockNet):
    """A block in, the next block out, through layers in which loud and soft are alike.

    Nothing adds a constant and gates hear proportions alone, so that a sound of half the level
    is continued by the same at half the level: a decay stays possible however far it has gone.

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
        self.inward = nn.Linear(size, units, bias=False)
        self.layers = nn.ModuleList(layers)
        self.outward = nn.Linear(units, size, bias=False)

    @property
    def core(self) -> nn.ModuleList:
        """The recurrent layers."""
        return self.layers

    def forward(self, blocks: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Predict the next block after each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        memory : complex tensor, shape (layers, notes, states), optional
            Where an earlier call left off.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        memory : complex tensor, shape (layers, notes, states)
            To carry on from.
        """
        hidden, after = self.inward(blocks), []
        for number, layer in enumerate(self.layers):
            hidden, last = layer(hidden, None if memory is None else memory[number])
            after.append(last)
        return self.outward(hidden), torch.stack(after)

    def run_on(self, heard: Tensor, blocks: int) -> Tensor:
        """Let the states ring on in silence, each block in constant time.

        What is made is not heard again, so that no error feeds itself, and nothing can grow.

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
        predicted, memory = self(heard)
        made = [predicted[:, -1:]]
        silence = torch.zeros_like(made[0])
        while len(made) < blocks:
            block, memory = self(silence, memory)
            made.append(block)
        return torch.cat(made, dim=1)

    def draw(self, generator: torch.Generator, recurrent_gain: float) -> None:  # noqa: ARG002
        """Draw the weights; how fast states fade is drawn with them, without a gain."""
        for dense in (self.inward, self.outward):
            nn.init.xavier_uniform_(dense.weight, generator=generator)
        for layer in self.layers:
            assert isinstance(layer, RecurrentLayer)
            layer.draw(generator)


def _balance(states: Tensor) -> Tensor:
    """Modulus of each state in proportion to that of all, whatever the level."""
    energy = torch.view_as_real(states).square().sum(dim=-1)
    moduli = (energy + FAINTEST).sqrt()
    return moduli * (energy.mean(dim=-1, keepdim=True) + FAINTEST).rsqrt()
