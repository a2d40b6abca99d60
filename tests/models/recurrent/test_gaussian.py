"""Densities and divergences against those of torch."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from notedecay.models.recurrent.gaussian import Gaussian, gaussian

means = st.floats(-20, 20)
log_variances = st.floats(-8, 4)


def make(mean: float, log_variance: float) -> tuple[Gaussian, Normal]:
    pair = torch.tensor(mean, dtype=torch.float64), torch.tensor(log_variance, dtype=torch.float64)
    return Gaussian(*pair), Normal(pair[0], (0.5 * pair[1]).exp())


@given(means, log_variances, st.floats(-30, 30))
def test_density_is_that_of_torch(mean: float, log_variance: float, x: float) -> None:
    ours, theirs = make(mean, log_variance)
    at = torch.tensor(x, dtype=torch.float64)
    assert ours.log_density(at).item() == pytest.approx(theirs.log_prob(at).item(), rel=1e-9)


@given(means, log_variances, means, log_variances)
def test_divergence_is_that_of_torch(a: float, b: float, c: float, d: float) -> None:
    (one, this), (other, that) = make(a, b), make(c, d)
    expected = kl_divergence(this, that).item()
    assert one.divergence(other).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert one.divergence(one).item() == pytest.approx(0, abs=1e-12)


def test_samples_have_the_mean_and_the_variance() -> None:
    ours, _ = make(3.0, math.log(0.25))
    samples = ours.sample(torch.randn(100_000, generator=torch.Generator().manual_seed(0)))
    assert samples.mean().item() == pytest.approx(3.0, abs=0.01)
    assert samples.std().item() == pytest.approx(0.5, abs=0.01)


def test_log_variances_stay_between_the_bounds_and_keep_a_gradient() -> None:
    raw = torch.tensor([-1e4, -30.0, -9.0, -2.0, 5.0, 30.0, 1e4], requires_grad=True)
    mean, log_variance = gaussian(torch.cat([torch.arange(7.0), raw]), -8.0, 4.0)
    assert mean.tolist() == list(range(7))
    assert log_variance.min() >= -8.001
    assert log_variance.max() <= 4.001
    assert log_variance[3].item() == pytest.approx(-2.0, abs=0.01)
    log_variance.sum().backward()
    assert raw.grad is not None
    assert (raw.grad[1:-1] > 0).all()
