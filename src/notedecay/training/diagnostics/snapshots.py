"""What a diagnosis sees of a net at one moment; plain numbers that go to JSON and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from notedecay.core.files import readable, replacing

SLICES = 32
"""Time slices, equally long, from the first block to the last."""


class _Numbers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class LayerLook(_Numbers):
    """One layer of the net; None for what it does not have.

    Attributes
    ----------
    kind : str
        Its class, such as ``Linear``.
    gradient : float or None
        Norm of the gradient of the loss by all its parameters.
    weight_mean, weight_std, weight_norm : float or None
        Of all its parameters.
    activation_mean, activation_std : float or None
        Of its output, over notes, blocks and units.
    dead : float or None
        Share of its units whose output is the same for every note and block, 0..1.
    over_time : list of float
        Norm of the gradient of the loss by its output for a block, in each of 32 time slices;
        empty where the output is no sequence (convolutions hear each block by itself).
    disagreement : float or None
        Of a batch normalisation: symmetrised Kullback-Leibler divergence between normal
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
    """How alike the continuations of primes of different pitch are, 0..1.

    Attributes
    ----------
    made : float
        :func:`notedecay.metrics.likeness` of the continuations; NaN with fewer than two pitches.
    true : float
        The same of what really follows the primes.
    pitches : int
        How many were compared.
    """

    made: float
    true: float
    pitches: int


class Look(_Numbers):
    """A net at one moment of its training.

    Attributes
    ----------
    epoch : int
        From 1.
    steps : int
        Steps that the optimiser has made by then, at least.
    layers : dict of str to LayerLook
        By name, from the input to the output; empty for a continuator without a net.
    reach : dict of str to list of float
        By recurrent layer: norm of the gradient of the last time slice's loss by the layer's
        input for a block, in each of 32 time slices. It says how far back learning reaches.
    likeness : Likeness
        Of free-running continuations.
    """

    epoch: int
    steps: int
    layers: dict[str, LayerLook]
    reach: dict[str, list[float]]
    likeness: Likeness


_LOOKS = TypeAdapter(list[Look])


def read(path: Path) -> list[Look]:
    """Read looks; none where there is no such file."""
    with readable(path):
        return _LOOKS.validate_json(path.read_bytes()) if path.exists() else []


def write(looks: Sequence[Look], path: Path) -> None:
    """Write looks as JSON, replacing earlier ones only when all is written."""
    with replacing(path) as partial:
        partial.write_bytes(_LOOKS.dump_json(list(looks)))
