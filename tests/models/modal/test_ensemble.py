"""Partials of a note tell each other what they show."""

from __future__ import annotations

import pytest
import torch

from notedecay.models.modal.ensemble import WIDTHS, ModalNet, neighbourhoods
from notedecay.models.modal.features import LEVEL, OCTAVE, PLAIN, feature_count


def note(octaves: list[float], levels_db: list[float]) -> torch.Tensor:
    features = torch.zeros(1, len(octaves), 5)
    features[0, :, OCTAVE] = torch.tensor(octaves)
    features[0, :, LEVEL] = torch.tensor(levels_db) / 20
    return features


def test_near_and_loud_partials_count_most() -> None:
    near = neighbourhoods(note([0.0, 0.1, 2.0, 0.1], [0, 0, 0, -40]), torch.ones(1, 4))
    assert near.shape == (len(WIDTHS), 1, 4, 4)
    first = near[0, 0, 0]
    assert first[0] == 0
    assert first.sum().item() == pytest.approx(1)
    assert first[3] / first[1] == pytest.approx(0.1)
    assert first[2] < 1e-9


def test_filling_and_a_partial_that_is_alone_count_for_nothing() -> None:
    near = neighbourhoods(note([0.0, 0.0], [0, 0]), torch.tensor([[1.0, 0.0]]))
    assert near[:, 0, 0].sum() == 0


@pytest.mark.parametrize("neighbours", [True, False])
def test_a_note_is_told_the_same_beside_a_longer_one(neighbours: bool) -> None:
    chance = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 2, 0.0, neighbours=neighbours, beats=True)
    net.draw(chance)
    both = torch.randn(2, 7, feature_count(), generator=chance)
    present = torch.ones(2, 7)
    both[0, 4:], present[0, 4:] = 0, 0
    said = net.said(both, neighbourhoods(both, present))
    alone = both[:1, :4]
    expected = net.said(alone, neighbourhoods(alone, torch.ones(1, 4)))
    assert torch.allclose(said[:, :1, :4], expected, atol=1e-5)
    assert net(both[0, :4]).lasts.shape == (4,)


def test_every_second_net_hears_neighbours() -> None:
    chance = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 3, 0.0, neighbours=True, beats=True)
    net.draw(chance)
    features = torch.randn(1, 2, feature_count(), generator=chance)
    near = neighbourhoods(features, torch.ones(1, 2))
    first = net.said(features, near)[:, 0, 0]
    features[0, 1, LEVEL + 1 : PLAIN] += 1.0
    changed = (net.said(features, near)[:, 0, 0] - first).abs().amax(dim=-1) > 1e-6
    assert changed.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("beats", "told"), [(True, [False, False, True, True]), (False, [False] * 4)]
)
def test_two_nets_of_four_hear_beats(beats: bool, told: list[bool]) -> None:
    chance = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 4, 0.0, neighbours=False, beats=beats)
    net.draw(chance)
    features = torch.randn(1, 1, feature_count(), generator=chance)
    near = neighbourhoods(features, torch.ones(1, 1))
    first = net.said(features, near)[:, 0, 0]
    features[..., PLAIN:] += 1.0
    changed = (net.said(features, near)[:, 0, 0] - first).abs().amax(dim=-1) > 1e-6
    assert changed.tolist() == told


def constant_net(units: int = 8, members: int = 2, dropout: float = 0.0) -> ModalNet:
    """A net of zero weights: its outputs are its biases, the same for every partial."""
    return ModalNet(feature_count(), units, members, dropout, neighbours=False, beats=False)


@pytest.mark.parametrize("count", [1, 10])
def test_aftersound_is_louder_than_its_median_prediction(count: int) -> None:
    """By 4 dB, and by 10 dB more where ten partials share the energy."""
    net = constant_net()
    features = torch.zeros(count, feature_count())
    middle = net.aftersound(
        net.said(features[None], neighbourhoods(features[None], torch.ones(1, count)))
    )
    louder = middle.depth_db.mean() - net(features).after.depth_db
    assert louder.tolist() == pytest.approx([4.0 + 10.0 * (count == 10)] * count, abs=0.5)


def test_half_the_out_of_distribution_weight_halves_the_aftersound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, features = constant_net(), torch.zeros(1, feature_count())
    sure = net(features).after.depth_db
    monkeypatch.setattr(net, "strangeness", lambda *_: torch.tensor([1.2]))
    assert (net(features).after.depth_db - sure).item() == pytest.approx(6.02, abs=0.05)


def test_dropout_keeps_the_mean_and_is_off_in_evaluation() -> None:
    net = constant_net(units=16, members=1, dropout=0.4)
    with torch.no_grad():
        for k in (0, 1):
            net.biases[k].fill_(1.0)
        net.weights[2].fill_(0.1)
    features = torch.zeros(1, 4000, feature_count())
    near = torch.zeros(len(WIDTHS), 1, 4000, 4000)
    said = net.said(features, near)
    noisy = net.said(features, near, torch.Generator().manual_seed(0))
    assert torch.equal(said, net.said(features, near))
    assert noisy.std(dim=2).min() > 0.1
    assert noisy.mean(dim=2).flatten().tolist() == pytest.approx(said[0, 0, 0].tolist(), rel=0.03)
