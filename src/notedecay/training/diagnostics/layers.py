"""Statistics of a net's layers on some notes: gradients, weights, activations."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from notedecay.models.batches import Examples
from notedecay.models.learned import LearnedContinuator
from notedecay.training.diagnostics.snapshots import SLICES, LayerStatistics

NONLINEAR = (nn.ReLU, nn.Tanh, nn.Sigmoid)
UNCHANGED = 1e-5
"""A unit is dead when its standard deviation is under this share of the layer's RMS."""


@dataclass
class Layer:
    """A layer of a net: a module, or one layer of a multi-layer recurrent module.

    Attributes
    ----------
    name : str
        As in the weights' file, and ``l0``, ``l1``, ... where a module has several layers.
    module : torch.nn.Module
        Module of the layer.
    parameters : list of Tensor
        Parameters of the layer.
    inputs, outputs : list of Tensor
        Recorded, one of each per call.
    """

    name: str
    module: nn.Module
    parameters: list[Tensor]
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)


def measure_layers(
    model: LearnedContinuator[Any], examples: Examples, generator: torch.Generator
) -> tuple[dict[str, LayerStatistics], dict[str, list[float]]]:
    """Measure every layer in one forward and backward pass over some notes, as in training.

    The pass is of a copy, so that neither weights nor statistics nor gradients change.

    Parameters
    ----------
    model : LearnedContinuator
        On any device.
    examples : tuple of tensors, each of shape (notes, ...)
        On that device.
    generator : torch.Generator
        Random numbers of the loss; on the CPU.

    Returns
    -------
    layers, reach : dict
        As in :class:`notedecay.training.diagnostics.snapshots.Snapshot`.
    """
    twin = copy.deepcopy(model)
    twin.net.train()
    layers = list(_layers(twin.net))
    handles = [
        layer.module.register_forward_hook(_recorder(layer))
        for layer in {id(layer.module): layer for layer in layers}.values()  # the last of each
    ]
    with torch.enable_grad():
        loss = twin.loss(examples, generator)
    for handle in handles:
        handle.remove()
    notes = len(examples[0])
    gradients = _gradients(loss, [t for one in layers for t in one.parameters + one.outputs])
    statistics, reach = {}, {}
    for layer in layers:
        by_parameter = [gradients[p] for p in layer.parameters]
        by_output = [gradients[output] for output in layer.outputs]
        statistics[layer.name] = LayerStatistics(
            kind=type(layer.module).__name__,
            **_of_parameters(layer.parameters, by_parameter),
            **_of_outputs(layer.outputs, by_output, notes),
            disagreement=_disagreement(layer, model.net),
        )
        if isinstance(layer.module, nn.RNNBase) and _is_traceable(layer, notes):
            reach[layer.name] = _reach(layer.inputs[0], layer.outputs[0], by_output[0])
    return statistics, reach


def _layers(net: nn.Module) -> Iterator[Layer]:
    """Yield the layers with parameters of their own, and the nonlinear ones."""
    for name, module in net.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if isinstance(module, nn.RNNBase) and module.num_layers > 1:
            for k in range(module.num_layers):
                of_layer = [p for n, p in own.items() if re.search(rf"_l{k}(_reverse)?$", n)]
                yield Layer(f"{name}.l{k}", module, of_layer)
        elif own or isinstance(module, NONLINEAR):
            yield Layer(name or "net", module, list(own.values()))


def _recorder(layer: Layer) -> Any:
    """Make a hook that records a layer's inputs and outputs."""

    def record(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        layer.inputs.append(inputs[0])
        layer.outputs.append(first)

    return record


def _gradients(loss: Tensor, tensors: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    """Compute the gradient of the loss by each tensor, zeros where it does not depend on it."""
    traced = [tensor for tensor in tensors if tensor.requires_grad]
    found = torch.autograd.grad(loss, traced, retain_graph=True, materialize_grads=True)
    rest = {tensor: torch.zeros_like(tensor) for tensor in tensors if not tensor.requires_grad}
    return dict(zip(traced, found, strict=True)) | rest


def _of_parameters(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> dict[str, float]:
    if not parameters:
        return {}
    weights = torch.cat([p.detach().flatten() for p in parameters])
    return {
        "gradient": float(torch.cat([g.flatten() for g in gradients]).norm()),
        "weight_mean": float(weights.mean()),
        "weight_std": float(weights.std(correction=0)),
        "weight_norm": float(weights.norm()),
    }


def _of_outputs(
    outputs: Sequence[Tensor], gradients: Sequence[Tensor], notes: int
) -> dict[str, Any]:
    if not outputs:
        return {}
    values = torch.cat([_by_unit(output.detach(), notes) for output in outputs])
    rms = values.square().mean().sqrt()
    alive = values.std(dim=0, correction=0) > UNCHANGED * rms
    sequence = _sequence(gradients, notes)
    return {
        "activation_mean": float(values.mean()),
        "activation_std": float(values.std(correction=0)),
        "dead": 1.0 - float(alive.float().mean()),
        "over_time": [] if sequence is None else _over_time(sequence),
    }


def _by_unit(output: Tensor, notes: int) -> Tensor:
    """Reshape the output of a dense, recurrent or convolutional layer to (values, units)."""
    if output.dim() == 3 and len(output) != notes:  # blocks of all notes, filters, samples
        output = output.transpose(1, 2)
    return output.reshape(-1, output.shape[-1])


def _sequence(tensors: Sequence[Tensor], notes: int) -> Tensor | None:
    """Join tensors to one of shape (notes, blocks, units); None where they are no sequence.

    A layer that is called once for each block gives a sequence too.
    """
    if any(len(tensor) != notes or tensor.dim() not in (2, 3) for tensor in tensors):
        return None
    whole = torch.cat([t if t.dim() == 3 else t.unsqueeze(1) for t in tensors], dim=1)
    return whole if whole.shape[1] > 1 else None


def _over_time(gradient: Tensor) -> list[float]:
    """Compute the norm for one block over all notes and units, in each time slice."""
    energy = gradient.square().sum(dim=(0, 2))
    slices = nn.functional.adaptive_avg_pool1d(energy[None], SLICES)[0]
    return [float(value) for value in slices.sqrt()]


def _is_traceable(layer: Layer, notes: int) -> bool:
    """Whether a recurrent layer ran over whole sequences, with a gradient at its input."""
    return (
        len(layer.outputs) == 1
        and layer.inputs[0].requires_grad
        and _sequence(layer.outputs, notes) is not None
    )


def _reach(inputs: Tensor, outputs: Tensor, gradient: Tensor) -> list[float]:
    """Propagate the gradient of the last time slice alone back to the layer's inputs."""
    last = gradient.clone()
    last[:, : -max(1, last.shape[1] // SLICES)] = 0.0
    (back,) = torch.autograd.grad(outputs, inputs, last, retain_graph=True)
    return _over_time(back)


def _disagreement(layer: Layer, net: nn.Module) -> float | None:
    """Compare batch with running statistics, the latter from before this pass changed them."""
    if not isinstance(layer.module, _BatchNorm) or not layer.inputs:
        return None
    held: Mapping[str, Tensor | None] = dict(net.get_submodule(layer.name).named_buffers())
    mean, var = held.get("running_mean"), held.get("running_var")
    if mean is None or var is None:
        return None
    inputs = torch.cat([i.detach() for i in layer.inputs]).transpose(0, 1).flatten(1)
    batch_mean, batch_var = inputs.mean(dim=1), inputs.var(dim=1)
    eps = layer.module.eps
    ratio = (batch_var + eps) / (var + eps)
    apart = (batch_mean - mean).square() * (1 / (batch_var + eps) + 1 / (var + eps))
    return float((0.5 * (ratio + 1 / ratio - 2 + apart)).median())
