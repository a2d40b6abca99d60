"""Snapshots of a net during training: plain numbers, kept as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from notedecay.core.files import readable, replacing

FILE = "snapshots.json"
"""File of a training's snapshots."""

SLICES = 32
"""Time slices of equal length, from the first block to the last."""


class _Numbers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class LayerStatistics(_Numbers):
    """Statistics of one layer of the net; None for what it does not have.

    Attributes
    ----------
    kind : str
        Its class, such as ``Linear``.
    gradient : float or None
        Norm of the gradient of the loss with respect to all its parameters.
    weight_mean, weight_std, weight_norm : float or None
        Of all its parameters.
    activation_mean, activation_std : float or None
        Of its output, over notes, blocks and units.
    dead : float or None
        Share of its units whose output is the same for every note and block, 0..1.
    over_time : list of float
        Norm of the gradient of the loss with respect to its output for a block, in each of 32
        time slices; empty where the output is no sequence (convolutions take single blocks).
    disagreement : float or None
        For a batch normalisation: symmetrised Kullback-Leibler divergence between normal
        distributions with the batch's and with the running mean and variance, median over the
        units. 0 where they agree; 0.25 where the means are half a standard deviation apart, or
        one variance is twice the other.
    """

    kind: str
    gradient: float | None = None
    weight_mean: float | None = None
    weight_std: float | None = None
    weight_norm: float | None = None
    activation_mean: float | None = None
    activation_std: float | None = None
    dead: float | None = None
    over_time: list[float] = []
    disagreement: float | None = None


class Likeness(_Numbers):
    """Similarity of the continuations of primes of different pitch, 0..1.

    Attributes
    ----------
    made : float
        :func:`notedecay.metrics.likeness` of the continuations; NaN with fewer than two pitches.
    true : float
        The same of the true continuations.
    pitches : int
        Number of pitches compared.
    """

    made: float
    true: float
    pitches: int


class Snapshot(_Numbers):
    """A net after an epoch of its training.

    Attributes
    ----------
    epoch : int
        From 1.
    steps : int
        Optimiser steps by then, at least.
    layers : dict of str to LayerStatistics
        By name, from the input to the output; empty for a model without a net.
    reach : dict of str to list of float
        By recurrent layer: norm of the gradient of the last time slice's loss with respect to
        the layer's input for a block, in each of 32 time slices. It shows over how many blocks
        gradients reach back.
    likeness : Likeness
        Of free-running continuations.
    """

    epoch: int
    steps: int
    layers: dict[str, LayerStatistics]
    reach: dict[str, list[float]]
    likeness: Likeness


_SNAPSHOTS = TypeAdapter(list[Snapshot])


def read_snapshots(path: Path) -> list[Snapshot]:
    """Read snapshots; an empty list without the file."""
    with readable(path):
        return _SNAPSHOTS.validate_json(path.read_bytes()) if path.exists() else []


def write_snapshots(snapshots: Sequence[Snapshot], path: Path) -> None:
    """Write snapshots as JSON, atomically."""
    with replacing(path) as partial:
        partial.write_bytes(_SNAPSHOTS.dump_json(list(snapshots)))
