"""What is known of a decay time before it is heard: densities, and how to decide by them."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor

from notedecay.metrics.scores import INAUDIBLE_RATIOS

SHORTEST, LONGEST = 0.02, 60.0
"""Bounds of T60 (s)."""
LEAST_CHANCE = 1e-4
"""Of what is known to have happened, so that no single partial outweighs a note."""
CHOICES = 321
"""Decay times among which one is chosen, 2.5 % apart."""


class Decays(NamedTuple):
    """Mixtures of normal densities of log T60, each tensor of shape (..., partials, normals)."""

    log_share: Tensor
    """Logarithm of each normal's share; they sum to 1."""
    log_t60: Tensor
    """Mean of each normal (T60 in s)."""
    spread: Tensor
    """Standard deviation of each."""

    def surprise(self, log_t60: Tensor) -> Tensor:
        """Negative log density of true decay times, shape (..., partials)."""
        away = (log_t60[..., None] - self.log_t60) / self.spread
        normal = -0.5 * away**2 - self.spread.log() - 0.5 * math.log(2 * math.pi)
        return -torch.logsumexp(self.log_share + normal, dim=-1)

    def surprise_beyond(self, log_t60: Tensor) -> Tensor:
        """Negative log chance of decay times of which it is known that they are longer."""
        beyond = 1 - self.below(log_t60[..., None])[..., 0]
        return -(beyond + LEAST_CHANCE).log()

    def pooled(self) -> Self:
        """Densities of many members, shape (members, partials, normals), as one."""
        members = len(self.log_share)
        share, log_t60, spread = (tensor.transpose(0, 1).flatten(1) for tensor in self)
        less = torch.log(torch.tensor(float(members), device=share.device))
        return self._replace(log_share=share - less, log_t60=log_t60, spread=spread)

    def doubted(self, other: Self, share: Tensor) -> Self:
        """Mixture with other densities, which have this share, shape (..., partials)."""
        less, more = (1 - share).log()[..., None], share.log()[..., None]
        log_share = torch.cat([self.log_share + less, other.log_share + more], dim=-1)
        log_t60 = torch.cat([self.log_t60, other.log_t60], dim=-1)
        return self._replace(
            log_share=log_share,
            log_t60=log_t60,
            spread=torch.cat([self.spread, other.spread], dim=-1),
        )

    def below(self, log_t60: Tensor) -> Tensor:
        """Chance that T60 is shorter than each of these, shape (..., partials, times)."""
        away = (log_t60[..., None] - self.log_t60[..., None, :]) / self.spread[..., None, :]
        shares = self.log_share.exp()[..., None, :]
        chance: Tensor = (shares * torch.special.ndtr(away)).sum(dim=-1)
        return chance

    def likeliest(self) -> Tensor:
        """T60 that most likely sounds right, shape (..., partials): the aim of ``decay_ok``.

        Where two decays are plausible their mean would be wrong either way.
        """
        log_t60 = choices(self.spread)
        longest, shortest = (log_t60 - torch.tensor(r).log() for r in INAUDIBLE_RATIOS)
        chance = self.below(longest) - self.below(shortest)
        return log_t60[chance.argmax(dim=-1)].exp()

    def quantile(self, share: Tensor) -> Tensor:
        """T60 than which this share of the density, shape (..., partials), is shorter."""
        log_t60 = choices(self.spread)
        under = (self.below(log_t60) < share[..., None]).sum(dim=-1)
        return log_t60[under.clamp(max=CHOICES - 1)].exp()


def choices(like: Tensor) -> Tensor:
    """Logarithms of the decay times among which one is chosen, on the device of a tensor."""
    ends = torch.tensor([SHORTEST, LONGEST], device=like.device).log()
    return torch.linspace(float(ends[0]), float(ends[1]), CHOICES, device=like.device)
