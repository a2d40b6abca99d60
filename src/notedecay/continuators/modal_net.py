"""Nets that tell from a partial's features how it dies away, and the envelope they mean."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

FURTHEST = 4.0
"""Features count up to this many standard deviations."""
LEVEL_DB = 6.0
"""Largest correction of a level (dB)."""
SHORTEST, LONGEST = 0.02, 60.0
"""Bounds of T60 (s)."""


class Fall(NamedTuple):
    """How partials die away, each of shape (..., partials)."""

    t60: Tensor
    """Seconds for 60 dB."""
    level_db: Tensor
    """Correction of the level at the joint (dB)."""

    def envelope_db(self, times: Tensor) -> Tensor:
        """Level over time relative to the joint (dB), shape (..., partials, times)."""
        return self.level_db[..., None] - 60 * times / self.t60[..., None]


class ModalNet(nn.Module):
    """Several small nets side by side; what they say is averaged.

    Parameters
    ----------
    features : int
        For each partial.
    units : int
        Width of both hidden layers.
    members : int
        How many nets.
    dropout : float
        Share of the hidden units left out while training.
    """

    mean: Tensor
    std: Tensor
    log_t60: Tensor

    def __init__(self, features: int, units: int, members: int, dropout: float) -> None:
        super().__init__()
        widths = [features, units, units, len(Fall._fields)]
        pairs = list(pairwise(widths))
        self.weights = nn.ParameterList(torch.zeros(members, i, o) for i, o in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, o) for _, o in pairs)
        self.dropout = dropout
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("log_t60", torch.zeros(()))

    def draw(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer starts small, near the mean of all partials."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            spread = weight.shape[1] ** -0.5 * (0.1 if weight is self.weights[-1] else 1.0)
            nn.init.normal_(weight, std=spread, generator=generator)
            nn.init.zeros_(bias)

    def said(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """What each member says of partials.

        Parameters
        ----------
        features : tensor, shape (partials, features)
        generator : torch.Generator, optional
            Chance (CPU) by which hidden units are left out: for training.

        Returns
        -------
        tensor, shape (members, partials, 2)
        """
        heard = ((features - self.mean) / self.std).clamp(-FURTHEST, FURTHEST)
        hidden = heard.expand(len(self.weights[0]), -1, -1)
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if k < last:
                hidden = self._thinned(nn.functional.silu(hidden), generator)
        return hidden

    def _thinned(self, hidden: Tensor, generator: torch.Generator | None) -> Tensor:
        """Leave out hidden units by chance."""
        if generator is None or not self.dropout:
            return hidden
        kept = torch.rand(hidden.shape, generator=generator) >= self.dropout
        return hidden * kept.to(hidden.device) / (1 - self.dropout)

    def fall(self, said: Tensor) -> Fall:
        """Turn what is said, shape (..., 2), into a way to die away."""
        longer, level = said.unbind(-1)
        t60 = torch.exp(self.log_t60 + longer).clamp(SHORTEST, LONGEST)
        return Fall(t60, LEVEL_DB * torch.tanh(level))

    def forward(self, features: Tensor) -> Fall:
        """How partials die away, by the mean of all members, shape (partials,) each."""
        return self.fall(self.said(features).mean(dim=0))
