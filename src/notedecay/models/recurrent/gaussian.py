"""Diagonal normal distributions whose parameters are outputs of a net."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus


class Gaussian(NamedTuple):
    """Independent normal distributions, one per element."""

    mean: Tensor
    log_variance: Tensor
    """Of the same shape."""

    def sample(self, noise: Tensor) -> Tensor:
        """Transform standard normal noise into a sample, through which gradients pass."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def log_density(self, x: Tensor) -> Tensor:
        """Log density of each element (nats), in the shape of ``x``."""
        squared = (x - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (math.log(2 * math.pi) + self.log_variance + squared)

    def divergence(self, other: Gaussian) -> Tensor:
        """Kullback-Leibler divergence from ``other`` of each element (nats)."""
        log_ratio = self.log_variance - other.log_variance
        apart = (self.mean - other.mean).square() * torch.exp(-other.log_variance)
        return 0.5 * (torch.exp(log_ratio) + apart - 1.0 - log_ratio)


def gaussian(outputs: Tensor, lowest: float, highest: float) -> Gaussian:
    """Convert the outputs of a layer to means and bounded log-variances.

    Parameters
    ----------
    outputs : tensor, shape (..., 2 * elements)
        Means, then unbounded log-variances.
    lowest, highest : float
        Bounds of the log-variances, approached smoothly, so that the gradient never vanishes.
        (Chua et al., "Deep reinforcement learning in a handful of trials", 2018, app. A.1.)
    """
    mean, raw = outputs.chunk(2, dim=-1)
    below = highest - softplus(highest - raw)
    return Gaussian(mean, lowest + softplus(below - lowest))
