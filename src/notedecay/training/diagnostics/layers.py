"""The layers of a net while it hears some notes: gradients, weights, activations."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from notedecay.models.learned import Examples, LearnedContinuator
from notedecay.training.diagnostics.snapshots import SLICES, LayerLook

NONLINEAR = (nn.ReLU, nn.Tanh, nn.Sigmoid)
UNCHANGED = 1e-5
"""A unit is dead when its standard deviation is under this share of the layer's RMS."""


@dataclass
class Layer:
    """A part of a net that is looked at: a module, or one layer of a deep recurrent module.

    Attributes
    ----------
    name : str
        As in the weights' file, and ``l0``, ``l1``, ... where a module has several layers.
    module : torch.nn.Module
        Where it lies.
    parameters : list of Tensor
        Its own.
    inputs, outputs : list of Tensor
        One of each for each call, while it is listened to.
    """

    name: str
    module: nn.Module
    parameters: list[Tensor]
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)


def look_at_layers(
    continuator: LearnedContinuator[Any], examples: Examples, generator: torch.Generator
) -> tuple[dict[str, LayerLook], dict[str, list[float]]]:
    """Look at every layer during one pass over some notes, forward and backward, as in training.

    It is done with a copy, so that neither weights nor statistics nor gradients change.

    Parameters
    ----------
    continuator : LearnedContinuator
        On any device.
    examples : tuple of tensors, each of shape (notes, ...)
        On that device.
    generator : torch.Generator
        For the noise on the input; on the CPU.

    Returns
    -------
    layers, reach : dict
        As in :class:`notedecay.training.diagnostics.snapshots.Look`.
    """
    twin = copy.deepcopy(continuator)
    twin.net.train()
    layers = list(_layers(twin.net))
    handles = [
        layer.module.register_forward_hook(_listener(layer))
        for layer in {id(layer.module): layer for layer in layers}.values()  # the last one of each
    ]
    with torch.enable_grad():
        loss = twin.loss(examples, generator)
    for handle in handles:
        handle.remove()
    notes = len(examples[0])
    gradients = _gradients(loss, [t for one in layers for t in one.parameters + one.outputs])
    looks, reach = {}, {}
    for layer in layers:
        by_parameter = [gradients[p] for p in layer.parameters]
        by_output = [gradients[output] for output in layer.outputs]
        looks[layer.name] = LayerLook(
            kind=type(layer.module).__name__,
            **_of_parameters(layer.parameters, by_parameter),
            **_of_outputs(layer.outputs, by_output, notes),
            disagreement=_disagreement(layer, continuator.net),
        )
        if isinstance(layer.module, nn.RNNBase) and _is_followed(layer, notes):
            reach[layer.name] = _reach(layer.inputs[0], layer.outputs[0], by_output[0])
    return looks, reach


def _layers(net: nn.Module) -> Iterator[Layer]:
    """All parts with parameters of their own, and the nonlinear ones."""
    for name, module in net.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if isinstance(module, nn.RNNBase) and module.num_layers > 1:
            for k in range(module.num_layers):
                ours = [p for n, p in own.items() if re.search(rf"_l{k}(_reverse)?$", n)]
                yield Layer(f"{name}.l{k}", module, ours)
        elif own or isinstance(module, NONLINEAR):
            yield Layer(name or "net", module, list(own.values()))


def _listener(layer: Layer) -> Any:
    """Make a hook that keeps what goes in and comes out."""

    def listen(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        layer.inputs.append(inputs[0])
        layer.outputs.append(first)

    return listen


def _gradients(loss: Tensor, tensors: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    """Gradient of the loss by each tensor, zeros where it does not depend on it."""
    followed = [tensor for tensor in tensors if tensor.requires_grad]
    found = torch.autograd.grad(loss, followed, retain_graph=True, materialize_grads=True)
    rest = {tensor: torch.zeros_like(tensor) for tensor in tensors if not tensor.requires_grad}
    return dict(zip(followed, found, strict=True)) | rest


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
    """Values of each unit, shape (values, units), of a sequence or of convolved blocks."""
    if output.dim() == 3 and len(output) != notes:  # blocks of all notes, filters, samples
        output = output.transpose(1, 2)
    return output.reshape(-1, output.shape[-1])


def _sequence(tensors: Sequence[Tensor], notes: int) -> Tensor | None:
    """One tensor of shape (notes, blocks, units), where a layer was given a sequence.

    A layer that is called once for each block gives a sequence too.
    """
    if any(len(tensor) != notes or tensor.dim() not in (2, 3) for tensor in tensors):
        return None
    whole = torch.cat([t if t.dim() == 3 else t.unsqueeze(1) for t in tensors], dim=1)
    return whole if whole.shape[1] > 1 else None


def _over_time(gradient: Tensor) -> list[float]:
    """Norm for one block over all notes and units, in each time slice."""
    energy = gradient.square().sum(dim=(0, 2))
    slices = nn.functional.adaptive_avg_pool1d(energy[None], SLICES)[0]
    return [float(value) for value in slices.sqrt()]


def _is_followed(layer: Layer, notes: int) -> bool:
    """Whether a recurrent layer ran over whole sequences that its input's gradient can follow."""
    return (
        len(layer.outputs) == 1
        and layer.inputs[0].requires_grad
        and _sequence(layer.outputs, notes) is not None
    )


def _reach(inputs: Tensor, outputs: Tensor, gradient: Tensor) -> list[float]:
    """Send the gradient of the last time slice alone back to the layer's inputs."""
    last = gradient.clone()
    last[:, : -max(1, last.shape[1] // SLICES)] = 0.0
    (back,) = torch.autograd.grad(outputs, inputs, last, retain_graph=True)
    return _over_time(back)


def _disagreement(layer: Layer, net: nn.Module) -> float | None:
    """Of batch and running statistics, the latter before this pass changed them."""
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
