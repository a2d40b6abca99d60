"""Densities of decay times: their quantiles, and the decision that most likely sounds right."""

from __future__ import annotations

import pytest
import torch

from notedecay.models.modal.mixture import Decays


def decays(*normals: tuple[float, float, float]) -> Decays:
    """One partial by one member: share, T60 (s) and spread of each normal."""
    share, t60, spread = torch.tensor(normals).T
    return Decays(share.log()[None, None], t60.log()[None, None], spread[None, None])


def test_of_two_plausible_decays_the_likelier_is_chosen_not_their_mean() -> None:
    two = decays((0.6, 4.0, 0.1), (0.4, 0.5, 0.1)).pooled()
    assert two.likeliest().item() == pytest.approx(4.0, rel=0.06)


def test_quantiles_of_one_normal() -> None:
    one = decays((1.0, 2.0, 0.5)).pooled()
    found = [one.quantile(torch.tensor([share])).item() for share in (0.1, 0.5, 0.9)]
    expected = [2.0 * 2.71828 ** (0.5 * z) for z in (-1.2816, 0.0, 1.2816)]
    assert found == pytest.approx(expected, rel=0.03)


def test_members_count_alike() -> None:
    a, b = decays((1.0, 1.0, 0.1)), decays((1.0, 4.0, 0.1))
    both = Decays(*(torch.cat(pair) for pair in zip(a, b, strict=True))).pooled()
    assert both.below(torch.tensor([2.0]).log()[None])[0].item() == pytest.approx(0.5, abs=1e-4)


def test_surprise_is_the_negative_log_density() -> None:
    one = decays((1.0, 2.0, 0.5))
    at_mean = one.surprise(torch.tensor([[2.0]]).log()).item()
    assert at_mean == pytest.approx(0.9189 - 0.6931, abs=1e-3)


def test_a_decay_known_to_be_longer_surprises_by_the_chance_of_that() -> None:
    one = decays((1.0, 2.0, 0.5))
    assert one.surprise_beyond(torch.tensor([[2.0]]).log()).item() == pytest.approx(0.693, abs=1e-3)
    assert one.surprise_beyond(torch.tensor([[60.0]]).log()).item() == pytest.approx(9.21, abs=0.1)
