"""LSTM with the gate activation of Keras 1, which the paper's authors used."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from notedecay.models.recurrent.feedback import Gate, LayerState, lstm_step

State = tuple[Tensor, Tensor]


def hard_sigmoid(x: Tensor) -> Tensor:
    """Compute 0.2 x + 0.5 within 0..1: a gate is closed from -2.5 down, open from 2.5 up."""
    return (0.2 * x + 0.5).clamp(0.0, 1.0)


class GatedLstm(nn.LSTM):
    """LSTM as :class:`torch.nn.LSTM`, batch first, with another activation of its gates.

    Parameters
    ----------
    inputs, units, layers : int
        Sizes, as in torch.
    gate : callable
        Activation of the gates, in place of the logistic sigmoid.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        layers: int,
        gate: Gate = hard_sigmoid,
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
            Hidden and cell state of an earlier call; zeros by default.

        Returns
        -------
        outputs : tensor, shape (notes, blocks, units)
        memory : pair of tensors
            Hidden and cell state after the last block.
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
        weight, recurrent, bias, recurrent_bias = self.all_weights[layer]
        driven = nn.functional.linear(inputs, weight, bias + recurrent_bias)
        after, outputs = LayerState(*state), []
        for step in driven.unbind(dim=1):
            after = lstm_step(step + after.hidden @ recurrent.T, after.cell, self.gate)
            outputs.append(after.hidden)
        return torch.stack(outputs, dim=1), after
