"""Novel notes are found, and continued as their own prime decays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.models.modal import novelty as novelty_module
from notedecay.models.modal.ensemble import ModalNet
from notedecay.models.modal.features import NEIGHBOUR_SLOPE_COLUMN, feature_count, partial_features
from notedecay.models.modal.mixture import MAX_T60
from notedecay.models.modal.novelty import (
    decays_from_slopes,
    measure_reference,
    note_features,
    novelty,
    out_of_distribution_weight,
)
from notedecay.models.modal.partials import find_partials
from tests.synthetic import damped

RATE = 8000


def notes(count: int, seed: int, away: float = 0.0) -> torch.Tensor:
    return away + torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))


def test_few_similar_notes_are_novel_and_all_far_away_are() -> None:
    reference = measure_reference(notes(60, seed=0))
    alike = out_of_distribution_weight(novelty(notes(200, seed=1), reference))
    assert float((alike > 0.5).float().mean()) < 0.15
    assert bool(
        (out_of_distribution_weight(novelty(notes(20, seed=2, away=6.0), reference)) == 1).all()
    )


def test_a_note_between_two_instruments_is_novel() -> None:
    close, wide = 0.1 * notes(40, seed=0), notes(40, seed=1, away=8.0)
    between = 0.1 * notes(5, seed=2, away=15.0)
    assert bool((novelty(between, measure_reference(torch.cat([close, wide]))) > 1).all())


def brute_force(notes: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Novelty by its formula, from all distances at once."""
    scale = reference.std(axis=0) + 0.05
    nearest = min(5, len(reference) - 1)

    def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        apart = np.clip((a[:, np.newaxis] - b) / scale, -3, 3)
        return np.sqrt((apart**2).sum(axis=-1))

    between = distances(reference, reference) + np.diag(np.full(len(reference), np.inf))
    spacing = np.sort(between, axis=1)[:, :nearest].mean(axis=1)

    def relative(rows: np.ndarray) -> np.ndarray:
        which = np.argsort(rows, axis=1)[:, :nearest]
        return np.take_along_axis(rows, which, 1).mean(axis=1) / spacing[which].mean(axis=1)

    return relative(distances(notes, reference)) / np.quantile(relative(between), 0.95)


@pytest.mark.parametrize("count", [3, 5, 6, 59, 300])
def test_novelty_is_its_formula_however_many_notes_are_compared_at_a_time(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned, unseen = notes(count, seed=0), notes(30, seed=1, away=1.0)
    expected = brute_force(unseen.double().numpy(), learned.double().numpy())
    assert expected.max() > 1.2 * expected.min()
    for values in (novelty_module.VALUES_AT_A_TIME, 1, 7 * count * 6):
        monkeypatch.setattr(novelty_module, "VALUES_AT_A_TIME", values)
        found = novelty(unseen, measure_reference(learned))
        assert found.numpy() == pytest.approx(expected, rel=1e-4)


def test_no_more_distances_are_in_memory_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, 1200 notes of 32 features would have 46 million differences."""
    sizes = []

    def counted(some: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        sizes.append(len(some) * others.numel())
        return distances(some, others)

    distances = novelty_module._distances
    monkeypatch.setattr(novelty_module, "_distances", counted)
    learned = torch.randn(1200, 32, generator=torch.Generator().manual_seed(0))
    reference = measure_reference(learned)
    assert sum(sizes) == 1200 * learned.numel()
    assert max(sizes) <= 2**20
    sizes.clear()
    novelty(learned[:1], reference)
    assert sizes == [learned.numel()]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_with_too_few_training_notes_nothing_is_novel(count: int) -> None:
    reference = measure_reference(notes(count, seed=0))
    assert novelty(notes(3, seed=1, away=9.0), reference).tolist() == [0, 0, 0]


def test_equal_notes_are_not_novel_to_each_other() -> None:
    equal = torch.ones(5, 6)
    reference = measure_reference(equal)
    assert out_of_distribution_weight(novelty(equal[:1], reference)).tolist() == [0]
    assert out_of_distribution_weight(novelty(1 + equal[:1], reference)).tolist() == [1]


def test_note_features_are_weighted_means_and_zeros_without_partials() -> None:
    features = torch.tensor([[[1.0, 2.0], [3.0, 6.0]], [[5.0, 5.0], [5.0, 5.0]]])
    weights = torch.tensor([[3.0, 1.0], [0.0, 0.0]])
    assert note_features(features, weights).tolist() == [[1.5, 3.0], [0.0, 0.0]]


@pytest.mark.parametrize("t60", [0.5, 2.0])
def test_decays_from_slopes_are_those_of_the_prime(t60: float) -> None:
    prime = damped([400, 1000], [t60, t60], [1, 0.5], rate=RATE)[: RATE // 3].astype(np.float64)
    partials = find_partials(prime / np.abs(prime).max(), RATE)
    features = torch.from_numpy(partial_features(prime, RATE, partials)).float()
    assert decays_from_slopes(features).point_estimate().numpy() == pytest.approx(t60, rel=0.05)


def t60_from_slopes(prime: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) of the partials of a prime, and decay times predicted from their slopes."""
    partials = find_partials(prime / np.abs(prime).max(), RATE)
    features = partial_features(prime, RATE, partials)
    return partials.frequency_hz, decays_from_slopes(
        torch.from_numpy(features).float()
    ).point_estimate().numpy()


def test_decays_from_slopes_are_those_of_the_end_of_the_prime() -> None:
    t = np.arange(-RATE // 3, 0) / RATE
    level_db = np.where(t < -0.21, 120.0, 20.0) * -(t + 0.21)
    prime = 10 ** (level_db / 20) * np.cos(2 * np.pi * 440 * t)
    assert t60_from_slopes(prime)[1] == pytest.approx(3.0, rel=0.05)


def test_decays_from_slopes_are_those_of_the_partials_within_half_an_octave() -> None:
    """Falls of 100 and 25 dB/s 0.4 octaves apart, and one of 6 dB/s 2 octaves further up."""
    t = np.arange(-RATE // 3, 0) / RATE
    lines = [(440.0, 0.6), (440.0 * 2**0.4, 2.4), (440.0 * 2**2.5, 10.0)]
    prime = sum(10 ** (-3 * t / t60) * np.cos(2 * np.pi * f * t) for f, t60 in lines)
    frequency_hz, t60 = t60_from_slopes(np.asarray(prime))
    quick, slow, far = (int(np.abs(frequency_hz - f).argmin()) for f, _ in lines)
    assert 0.75 < t60[quick] < 1.1
    assert 0.75 < t60[slow] < 1.3
    assert t60[far] == pytest.approx(10.0, rel=0.05)


def test_out_of_distribution_weight_is_a_linear_ramp() -> None:
    found = out_of_distribution_weight(torch.tensor([0.0, 1.0, 1.1, 1.2, 1.3, 1.4, 9.0]))
    assert found[[0, 1]].tolist() == [0.0, 0.0]
    assert found[[5, 6]].tolist() == [1.0, 1.0]
    steps = found[2:5].diff()
    assert bool((steps > 0.1).all())
    assert steps[0].item() == pytest.approx(steps[1].item(), rel=1e-3)


def test_a_partial_that_rises_gets_the_longest_t60() -> None:
    features = torch.zeros(1, feature_count())
    features[0, NEIGHBOUR_SLOPE_COLUMN] = 0.5
    assert float(decays_from_slopes(features).log_t60.exp()) == pytest.approx(MAX_T60)


def test_the_reference_is_saved_with_the_weights_and_measured_for_an_older_file() -> None:
    net, fresh = (
        ModalNet(feature_count(), 8, 2, 0.0, neighbours=True, beats=True) for _ in range(2)
    )
    features = torch.randn(9, 4, feature_count(), generator=torch.Generator().manual_seed(0))
    net.set_reference(features, torch.ones(9, 4))
    state = net.state_dict()
    older = {k: v for k, v in state.items() if k not in ("reference_spacing", "reference_usual")}
    novel = 3 * features[0]
    for saved in (state, older):
        fresh.load_state_dict(saved)
        assert torch.equal(fresh.reference_spacing, net.reference_spacing)
        assert torch.equal(fresh.reference_usual, net.reference_usual)
        assert torch.equal(fresh(novel).decays.point_estimate(), net(novel).decays.point_estimate())


def test_no_single_feature_makes_a_note_novel_and_several_do() -> None:
    """At full bandwidth nearly every prime has the largest number of partials."""
    reference = torch.randn(40, 32, generator=torch.Generator().manual_seed(0))
    reference[:, -1] *= 0.01
    learned = measure_reference(reference)
    unseen = torch.randn(20, 32, generator=torch.Generator().manual_seed(1))
    odd = unseen.clone()
    odd[:, -1] = -4.0
    assert float(out_of_distribution_weight(novelty(odd, learned)).mean()) < 0.1
    odd[:, ::2] += 4.0
    assert bool((out_of_distribution_weight(novelty(odd, learned)) == 1).all())
