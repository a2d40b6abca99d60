"""Mixture densities of a partial's decay time, and point estimates from them."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor

from notedecay.metrics.scores import INAUDIBLE_RATIOS

MIN_T60, MAX_T60 = 0.02, 60.0
"""Bounds of T60 (s)."""
MIN_PROBABILITY = 1e-4
"""Added to the probability of a censored decay, so that no single partial outweighs a note."""
GRID_SIZE = 321
"""Decay times of the grid on which estimates lie, 2.5 % apart."""


class DecayMixture(NamedTuple):
    """Mixtures of normal densities of log T60, each tensor (..., partials, components)."""

    log_weight: Tensor
    """Logarithm of each component's weight; the weights sum to 1."""
    log_t60: Tensor
    """Mean of each component (T60 in s)."""
    std: Tensor
    """Standard deviation of each component."""

    def negative_log_likelihood(self, log_t60: Tensor) -> Tensor:
        """Negative log density of the true decay times, shape (..., partials)."""
        away = (log_t60[..., None] - self.log_t60) / self.std
        normal = -0.5 * away**2 - self.std.log() - 0.5 * math.log(2 * math.pi)
        return -torch.logsumexp(self.log_weight + normal, dim=-1)

    def censored_negative_log_likelihood(self, log_t60: Tensor) -> Tensor:
        """Negative log probability that decay times exceed lower bounds, shape (..., partials)."""
        beyond = 1 - self.cdf(log_t60[..., None])[..., 0]
        return -(beyond + MIN_PROBABILITY).log()

    def averaged(self) -> Self:
        """Average the densities of ensemble members, shape (members, partials, components)."""
        members = len(self.log_weight)
        weight, log_t60, std = (tensor.transpose(0, 1).flatten(1) for tensor in self)
        log_members = torch.log(torch.tensor(float(members), device=weight.device))
        return self._replace(log_weight=weight - log_members, log_t60=log_t60, std=std)

    def mixed_with(self, other: Self, share: Tensor) -> Self:
        """Mix with other densities, which get this share, shape (..., partials)."""
        less, more = (1 - share).log()[..., None], share.log()[..., None]
        log_weight = torch.cat([self.log_weight + less, other.log_weight + more], dim=-1)
        log_t60 = torch.cat([self.log_t60, other.log_t60], dim=-1)
        std = torch.cat([self.std, other.std], dim=-1)
        return self._replace(log_weight=log_weight, log_t60=log_t60, std=std)

    def cdf(self, log_t60: Tensor) -> Tensor:
        """Probability that T60 is below each of these times, shape (..., partials, times)."""
        away = (log_t60[..., None] - self.log_t60[..., None, :]) / self.std[..., None, :]
        weights = self.log_weight.exp()[..., None, :]
        probability: Tensor = (weights * torch.special.ndtr(away)).sum(dim=-1)
        return probability

    def point_estimate(self) -> Tensor:
        """T60 (s) with the highest probability of an inaudible error, shape (..., partials).

        The measure ``decay_ok`` counts such errors as right. Where two decays are plausible
        their mean would be wrong either way.
        """
        log_t60 = t60_grid(self.std)
        longest, shortest = (log_t60 - torch.tensor(r).log() for r in INAUDIBLE_RATIOS)
        probability = self.cdf(longest) - self.cdf(shortest)
        return log_t60[probability.argmax(dim=-1)].exp()

    def quantile(self, share: Tensor) -> Tensor:
        """Quantiles of T60 (s) at these shares, shape (..., partials)."""
        log_t60 = t60_grid(self.std)
        below = (self.cdf(log_t60) < share[..., None]).sum(dim=-1)
        return log_t60[below.clamp(max=GRID_SIZE - 1)].exp()


def t60_grid(like: Tensor) -> Tensor:
    """Make the grid of log T60 on which estimates lie, on the device of a tensor."""
    ends = torch.tensor([MIN_T60, MAX_T60], device=like.device).log()
    return torch.linspace(float(ends[0]), float(ends[1]), GRID_SIZE, device=like.device)
