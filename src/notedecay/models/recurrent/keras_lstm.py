"""An LSTM with the gates of Keras 1, which the paper's authors used."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


def hard_sigmoid(x: Tensor) -> Tensor:
    """0.2 x + 0.5, kept within 0..1: closed and open gates are reached at -2.5 and 2.5."""
    return (0.2 * x + 0.5).clamp(0.0, 1.0)


class GatedLstm(nn.LSTM):
    """:class:`torch.nn.LSTM`, batch first, with another function for its three gates.

    Parameters
    ----------
    inputs, units, layers : int
        As there.
    gate : callable
        In place of the logistic sigmoid.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        layers: int,
        gate: Callable[[Tensor], Tensor] = hard_sigmoid,
    ) -> None:
        super().__init__(inputs, units, layers, batch_first=True)
        self.gate = gate

    def forward(  # type: ignore[override]  # torch leaves it untyped
        self, inputs: Tensor, memory: State | None = None
    ) -> tuple[Tensor, State]:
        """Run over a sequence.

        Parameters
        ----------
        inputs : tensor, shape (notes, blocks, inputs)
        memory : pair of tensors, each of shape (layers, notes, units), optional
            Zeros where it is left out.

        Returns
        -------
        outputs : tensor, shape (notes, blocks, units)
        memory : pair of tensors
            To carry on from.
        """
        if memory is None:
            zeros = inputs.new_zeros(self.num_layers, len(inputs), self.hidden_size)
            memory = (zeros, zeros)
        ends = []
        for layer, state in enumerate(zip(*memory, strict=True)):
            inputs, end = self._layer(layer, inputs, state)
            ends.append(end)
        hidden, cell = zip(*ends, strict=True)
        return inputs, (torch.stack(hidden), torch.stack(cell))

    def _layer(self, layer: int, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one layer over a sequence."""
        into, across, bias_into, bias_across = self.all_weights[layer]
        driven = nn.functional.linear(inputs, into, bias_into + bias_across)
        hidden, cell = state
        outputs = []
        for step in driven.unbind(dim=1):
            write, forget, candidate, read = (step + hidden @ across.T).chunk(4, dim=1)
            cell = self.gate(forget) * cell + self.gate(write) * torch.tanh(candidate)
            hidden = self.gate(read) * torch.tanh(cell)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), (hidden, cell)
