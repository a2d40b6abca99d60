"""Nets that tell from a partial's features how it may die away, and the envelope they mean."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from notedecay.continuators.modal_decay import Decays

FURTHEST = 4.0
"""Features count up to this many standard deviations."""
LEVEL_DB = 6.0
"""Largest correction of a level (dB)."""
NORMALS = 2
"""In the density of each decay time: a quick and a slow guess."""
NARROWEST = 0.08
"""Smallest standard deviation of log T60, 8 %."""


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
    """Several small nets side by side; their densities of the decay time are averaged.

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
        widths = [features, units, units, 3 * NORMALS + 1]
        pairs = list(pairwise(widths))
        self.weights = nn.ParameterList(torch.zeros(members, i, o) for i, o in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, o) for _, o in pairs)
        self.dropout = dropout
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("log_t60", torch.zeros(()))

    def draw(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer starts small, beside the mean of all partials."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            spread = weight.shape[1] ** -0.5 * (0.1 if weight is self.weights[-1] else 1.0)
            nn.init.normal_(weight, std=spread, generator=generator)
            nn.init.zeros_(bias)
        guesses = torch.linspace(-0.5, 0.5, NORMALS)
        with torch.no_grad():
            self.biases[-1][..., NORMALS : 2 * NORMALS] = guesses

    def said(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """What each member says of partials.

        Parameters
        ----------
        features : tensor, shape (partials, features)
        generator : torch.Generator, optional
            Chance (CPU) by which hidden units are left out: for training.

        Returns
        -------
        tensor, shape (members, partials, outputs)
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

    def decays(self, said: Tensor) -> Decays:
        """Turn what is said, shape (..., outputs), into densities of decay times."""
        share, longer, spread = torch.chunk(said[..., :-1], 3, dim=-1)
        wide = NARROWEST + nn.functional.softplus(spread - 0.5)
        return Decays(torch.log_softmax(share, dim=-1), self.log_t60 + longer, wide)

    def level_db(self, said: Tensor) -> Tensor:
        """Turn what is said, shape (..., outputs), into corrections of the levels (dB)."""
        return LEVEL_DB * torch.tanh(said[..., -1])

    def forward(self, features: Tensor) -> tuple[Decays, Tensor]:
        """Densities of decay times by all members, and corrections of levels (dB).

        Parameters
        ----------
        features : tensor, shape (partials, features)

        Returns
        -------
        Decays, tensor of shape (partials,)
        """
        said = self.said(features)
        return self.decays(said).pooled(), self.level_db(said.mean(dim=0))
