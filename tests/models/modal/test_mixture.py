"""Densities of decay times: quantiles, likelihoods and the point estimate."""

from __future__ import annotations

import pytest
import torch

from notedecay.models.modal.mixture import DecayMixture


def decays(*components: tuple[float, float, float]) -> DecayMixture:
    """One partial by one member: weight, T60 (s) and standard deviation of each component."""
    weight, t60, std = torch.tensor(components).T
    return DecayMixture(weight.log()[None, None], t60.log()[None, None], std[None, None])


def test_the_point_estimate_of_two_plausible_decays_is_the_likelier_not_their_mean() -> None:
    two = decays((0.6, 4.0, 0.1), (0.4, 0.5, 0.1)).averaged()
    assert two.point_estimate().item() == pytest.approx(4.0, rel=0.06)


def test_quantiles_of_one_component() -> None:
    one = decays((1.0, 2.0, 0.5)).averaged()
    found = [one.quantile(torch.tensor([share])).item() for share in (0.1, 0.5, 0.9)]
    expected = [2.0 * 2.71828 ** (0.5 * z) for z in (-1.2816, 0.0, 1.2816)]
    assert found == pytest.approx(expected, rel=0.03)


def test_members_have_equal_weight() -> None:
    a, b = decays((1.0, 1.0, 0.1)), decays((1.0, 4.0, 0.1))
    both = DecayMixture(*(torch.cat(pair) for pair in zip(a, b, strict=True))).averaged()
    assert both.cdf(torch.tensor([2.0]).log()[None])[0].item() == pytest.approx(0.5, abs=1e-4)


def test_the_likelihood_is_the_density() -> None:
    one = decays((1.0, 2.0, 0.5))
    at_mean = one.negative_log_likelihood(torch.tensor([[2.0]]).log()).item()
    assert at_mean == pytest.approx(0.9189 - 0.6931, abs=1e-3)


def test_the_censored_likelihood_is_the_probability_of_a_longer_decay() -> None:
    one = decays((1.0, 2.0, 0.5))
    bounds = torch.tensor([[2.0], [60.0]]).log()
    found = [one.censored_negative_log_likelihood(bound[None]).item() for bound in bounds]
    assert found[0] == pytest.approx(0.693, abs=1e-3)
    assert found[1] == pytest.approx(9.21, abs=0.1)
