"""Normal distributions of independent numbers, as a net gives them."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus


class Gaussian(NamedTuple):
    """Independent normal distributions, one per number."""

    mean: Tensor
    log_variance: Tensor
    """Of the same shape."""

    def at(self, noise: Tensor) -> Tensor:
        """Turn standard normal noise into a draw that gradients pass through."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def log_density(self, x: Tensor) -> Tensor:
        """Log density of each number (nats), in the shape of ``x``."""
        squared = (x - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (math.log(2 * math.pi) + self.log_variance + squared)

    def divergence(self, other: Gaussian) -> Tensor:
        """Kullback-Leibler divergence from ``other`` of each number (nats)."""
        log_ratio = self.log_variance - other.log_variance
        apart = (self.mean - other.mean).square() * torch.exp(-other.log_variance)
        return 0.5 * (torch.exp(log_ratio) + apart - 1.0 - log_ratio)


def gaussian(outputs: Tensor, least: float, most: float) -> Gaussian:
    """Read the outputs of a layer as means and log-variances.

    Parameters
    ----------
    outputs : tensor, shape (..., 2 * numbers)
        Means, then what becomes log-variances.
    least, most : float
        Bounds of the log-variances, approached smoothly, so that the gradient never stops.
        (Chua et al., "Deep reinforcement learning in a handful of trials", 2018, app. A.1.)
    """
    mean, raw = outputs.chunk(2, dim=-1)
    below = most - softplus(most - raw)
    return Gaussian(mean, least + softplus(below - least))
