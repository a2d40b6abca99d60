"""Free-running recurrent nets: one step at a time, with the dense layers between two steps folded.

What a free-running net predicts is its next input. Between the hidden state and the gates of the
next step there are dense layers alone; where these have no activations, they are one affine map,
half as large as they are, and a step costs little more than the recurrence.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

Core = nn.LSTM | nn.GRU
Gate = Callable[[Tensor], Tensor]
Step = Callable[[Tensor], Tensor]
"""From the states of the last and the first layer, see :meth:`FedBack.feedback`."""


class LayerState(NamedTuple):
    """State of a recurrent layer, tensors of shape (notes, units)."""

    hidden: Tensor
    cell: Tensor
    """The hidden state once more in a GRU, which has no other."""


class FedBack(Protocol):
    """A net whose predicted blocks are its next inputs."""

    @property
    def is_affine(self) -> bool:
        """Whether :meth:`feedback` is affine."""

    @property
    def core(self) -> nn.Module:
        """Recurrent layers."""

    def feedback(self, hidden: Tensor) -> Tensor:
        """Predict a block and compute the gates that it drives in the first layer.

        Parameters
        ----------
        hidden : tensor, shape (notes, units) or (notes, 2 * units)
            Hidden state of the only layer, or of the last layer and of the first.

        Returns
        -------
        tensor, shape (notes, 4 * units + size)
            Gates from :func:`layer_gates`, then the block.
        """

    def parameters(self) -> Iterator[nn.Parameter]:
        """Weights, as in :class:`torch.nn.Module`."""


class FoldedFeedback:
    """The feedback of a net as one matrix, folded anew whenever the weights have changed."""

    def __init__(self) -> None:
        self._of: tuple[tuple[int, int], ...] = ()
        self._weight = self._bias = torch.zeros(0)

    def of(self, net: FedBack, inputs: int) -> Step:
        """Fold the feedback of a net that takes so many inputs; as it is where it is not affine."""
        if not net.is_affine:
            return net.feedback
        weights = tuple((weight.data_ptr(), weight._version) for weight in net.parameters())
        if weights != self._of:
            self._of = weights
            self._fold(net, inputs)
        weight, bias = self._weight, self._bias
        return lambda hidden: torch.addmm(bias, hidden, weight)

    def _fold(self, net: FedBack, inputs: int) -> None:
        """Probe the map with zero and the unit vectors, in float64."""
        device = next(net.parameters()).device
        with torch.inference_mode(mode=False), torch.no_grad():
            exact = copy.deepcopy(net)
            assert isinstance(exact, nn.Module)
            exact.to("cpu", torch.float64)
            bias = exact.feedback(torch.zeros(1, inputs, dtype=torch.float64))
            weight = exact.feedback(torch.eye(inputs, dtype=torch.float64)) - bias
            self._weight, self._bias = weight.float().to(device), bias[0].float().to(device)


def free_running(
    core: Core, states: list[LayerState], size: int, feedback: Step
) -> Iterator[Tensor]:
    """Generate blocks for ever, each in constant time and memory.

    Parameters
    ----------
    core : torch.nn.LSTM or torch.nn.GRU
        Recurrent layers.
    states : list of LayerState
        State of each layer after the prime.
    size : int
        Samples in a block.
    feedback : callable
        See :meth:`FedBack.feedback`.

    Yields
    ------
    tensor, shape (notes, size)
        The block that the present state predicts.
    """
    while True:
        first, last = states[0], states[-1]
        hidden = first.hidden
        if len(states) > 1:
            hidden = torch.cat([last.hidden, hidden], dim=1)
        driven = feedback(hidden)
        yield driven[:, -size:]
        states = [layer_step(core, driven[:, :-size], first), *states[1:]]
        for layer in range(1, len(states)):
            below, state = states[layer - 1], states[layer]
            gates = layer_gates(core, layer, below.hidden, state.hidden)
            states[layer] = layer_step(core, gates, state)


def layer_gates(core: Core, layer: int, inputs: Tensor, hidden: Tensor) -> Tensor:
    """Compute the gates of a recurrent layer before their activation.

    Parameters
    ----------
    core : torch.nn.LSTM or torch.nn.GRU
    layer : int
        From 0.
    inputs : tensor, shape (notes, inputs)
    hidden : tensor, shape (notes, units)
        Hidden state before the step.

    Returns
    -------
    tensor, shape (notes, 4 * units)
        For :func:`layer_step`. The candidate of a GRU is there in two parts, from the inputs and
        from the hidden state: the reset gate scales the latter alone.
    """
    weight, recurrent, bias, recurrent_bias = core.all_weights[layer]
    driven, carried = linear(inputs, weight, bias), linear(hidden, recurrent, recurrent_bias)
    if isinstance(core, nn.LSTM):
        return driven + carried
    gates = 2 * core.hidden_size
    both = driven[:, :gates] + carried[:, :gates]
    return torch.cat([both, driven[:, gates:], carried[:, gates:]], dim=1)


def layer_step(core: Core, gates: Tensor, state: LayerState) -> LayerState:
    """Compute one step of a recurrent layer from :func:`layer_gates`."""
    if isinstance(core, nn.LSTM):
        return lstm_step(gates, state.cell, getattr(core, "gate", torch.sigmoid))
    reset, update, driven, carried = gates.chunk(4, dim=1)
    candidate = torch.tanh(driven + torch.sigmoid(reset) * carried)
    hidden = candidate + torch.sigmoid(update) * (state.hidden - candidate)
    return LayerState(hidden, hidden)


def lstm_step(gates: Tensor, cell: Tensor, gate: Gate = torch.sigmoid) -> LayerState:
    """Compute one step of an LSTM from its gates before activation, shape (notes, 4 * units)."""
    enter, forget, candidate, leave = gates.chunk(4, dim=1)
    cell = gate(forget) * cell + gate(enter) * torch.tanh(candidate)
    return LayerState(gate(leave) * torch.tanh(cell), cell)
