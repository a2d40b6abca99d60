"""The ensemble of nets: neighbours, inputs of each member, dropout, and what it averages."""

from __future__ import annotations

import pytest
import torch

from notedecay.models.modal.ensemble import NEIGHBOUR_WIDTHS, ModalNet, neighbour_weights
from notedecay.models.modal.features import (
    LEVEL_COLUMN,
    OCTAVE_COLUMN,
    PLAIN_COLUMNS,
    feature_count,
)


def note(octaves: list[float], levels_db: list[float]) -> torch.Tensor:
    features = torch.zeros(1, len(octaves), 5)
    features[0, :, OCTAVE_COLUMN] = torch.tensor(octaves)
    features[0, :, LEVEL_COLUMN] = torch.tensor(levels_db) / 20
    return features


def test_near_and_loud_partials_count_most() -> None:
    near = neighbour_weights(note([0.0, 0.1, 2.0, 0.1], [0, 0, 0, -40]), torch.ones(1, 4))
    assert near.shape == (len(NEIGHBOUR_WIDTHS), 1, 4, 4)
    first = near[0, 0, 0]
    assert first[0] == 0
    assert first.sum().item() == pytest.approx(1)
    assert first[3] / first[1] == pytest.approx(0.1)
    assert first[2] < 1e-9


def test_padding_and_a_partial_without_others_have_no_weight() -> None:
    near = neighbour_weights(note([0.0, 0.0], [0, 0]), torch.tensor([[1.0, 0.0]]))
    assert near[:, 0, 0].sum() == 0


@pytest.mark.parametrize("neighbours", [True, False])
def test_predictions_do_not_depend_on_padding(neighbours: bool) -> None:
    rng = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 2, 0.0, neighbours=neighbours, beats=True)
    net.init_weights(rng)
    both = torch.randn(2, 7, feature_count(), generator=rng)
    present = torch.ones(2, 7)
    both[0, 4:], present[0, 4:] = 0, 0
    outputs = net.outputs(both, neighbour_weights(both, present))
    alone = both[:1, :4]
    expected = net.outputs(alone, neighbour_weights(alone, torch.ones(1, 4)))
    assert torch.allclose(outputs[:, :1, :4], expected, atol=1e-5)
    assert net(both[0, :4]).persists.shape == (4,)


def test_every_second_net_takes_its_neighbours() -> None:
    rng = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 3, 0.0, neighbours=True, beats=True)
    net.init_weights(rng)
    features = torch.randn(1, 2, feature_count(), generator=rng)
    near = neighbour_weights(features, torch.ones(1, 2))
    first = net.outputs(features, near)[:, 0, 0]
    features[0, 1, LEVEL_COLUMN + 1 : PLAIN_COLUMNS] += 1.0
    changed = (net.outputs(features, near)[:, 0, 0] - first).abs().amax(dim=-1) > 1e-6
    assert changed.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("beats", "takes"), [(True, [False, False, True, True]), (False, [False] * 4)]
)
def test_two_nets_of_four_take_the_beat_features(beats: bool, takes: list[bool]) -> None:
    rng = torch.Generator().manual_seed(1)
    net = ModalNet(feature_count(), 8, 4, 0.0, neighbours=False, beats=beats)
    net.init_weights(rng)
    features = torch.randn(1, 1, feature_count(), generator=rng)
    near = neighbour_weights(features, torch.ones(1, 1))
    first = net.outputs(features, near)[:, 0, 0]
    features[..., PLAIN_COLUMNS:] += 1.0
    changed = (net.outputs(features, near)[:, 0, 0] - first).abs().amax(dim=-1) > 1e-6
    assert changed.tolist() == takes


def constant_net(units: int = 8, members: int = 2, dropout: float = 0.0) -> ModalNet:
    """A net of zero weights: its outputs are its biases, the same for every partial."""
    return ModalNet(feature_count(), units, members, dropout, neighbours=False, beats=False)


@pytest.mark.parametrize("count", [1, 10])
def test_aftersound_is_louder_than_its_median_prediction(count: int) -> None:
    """By 4 dB, and by 10 dB more where ten partials share the energy."""
    net = constant_net()
    features = torch.zeros(count, feature_count())
    median = net.aftersound(
        net.outputs(features[None], neighbour_weights(features[None], torch.ones(1, count)))
    )
    correction_db = median.depth_db.mean() - net(features).aftersound.depth_db
    assert correction_db.tolist() == pytest.approx([4.0 + 10.0 * (count == 10)] * count, abs=0.5)


def test_half_the_out_of_distribution_weight_halves_the_aftersound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, features = constant_net(), torch.zeros(1, feature_count())
    sure = net(features).aftersound.depth_db
    monkeypatch.setattr(net, "novelty", lambda *_: torch.tensor([1.2]))
    assert (net(features).aftersound.depth_db - sure).item() == pytest.approx(6.02, abs=0.05)


def test_dropout_keeps_the_mean_and_is_off_in_evaluation() -> None:
    net = constant_net(units=16, members=1, dropout=0.4)
    with torch.no_grad():
        for k in (0, 1):
            net.biases[k].fill_(1.0)
        net.weights[2].fill_(0.1)
    features = torch.zeros(1, 4000, feature_count())
    near = torch.zeros(len(NEIGHBOUR_WIDTHS), 1, 4000, 4000)
    outputs = net.outputs(features, near)
    noisy = net.outputs(features, near, torch.Generator().manual_seed(0))
    assert torch.equal(outputs, net.outputs(features, near))
    assert noisy.std(dim=2).min() > 0.1
    means = noisy.mean(dim=2).flatten().tolist()
    assert means == pytest.approx(outputs[0, 0, 0].tolist(), rel=0.03)
