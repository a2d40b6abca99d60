"""The convolutional front: its shapes, its statistics and what it does to padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from notedecay.core.errors import UserError
from notedecay.models.recurrent.convolutions import Convolutions, shapes


def make(size: int = 40, layers: list[tuple[int, int]] | None = None, **given: Any) -> Convolutions:
    torch.manual_seed(0)
    settings = {"activation": "linear", "batch_norm": True, "frozen_statistics": False}
    return Convolutions(size, layers or [(8, 5)], **{**settings, "pool": True, **given})


@pytest.mark.parametrize(
    ("convolutions", "filters", "length", "expected"),
    [
        (1, 64, 35, [(64, 35)]),
        (2, 32, 35, [(32, 35), (16, 17)]),
        (3, 64, 51, [(64, 51), (32, 25), (16, 12)]),
        (3, 8, 3, [(8, 3), (4, 3), (4, 3)]),
    ],
)
def test_each_layer_has_half_of_the_one_before(
    convolutions: int, filters: int, length: int, expected: list[tuple[int, int]]
) -> None:
    assert shapes(convolutions, filters, length) == expected


@pytest.mark.parametrize("length", [3, 4, 51])
@pytest.mark.parametrize(("pool", "values"), [(True, 49 // 2 // 2), (False, 49)])
def test_padding_keeps_the_length_and_pooling_halves_it(
    length: int, pool: bool, values: int
) -> None:
    front = make(49, shapes(3, 16, length), pool=pool)
    assert front.width == 4 * values
    assert front(torch.randn(2, 3, 49)).shape == (2, 3, front.width)


def test_a_filter_of_one_sample_at_its_middle_changes_nothing() -> None:
    front = make(layers=[(8, 5)], batch_norm=False)
    convolution = next(m for m in front.modules() if isinstance(m, nn.Conv1d))
    assert convolution.bias is not None
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.bias.zero_()
        convolution.weight[:, 0, 2] = 1.0
    blocks = torch.randn(2, 3, 40)
    made = front(blocks).view(2, 3, 8, 40)
    assert torch.equal(made, blocks[:, :, None].expand(2, 3, 8, 40))


def test_running_statistics_come_to_those_of_the_blocks() -> None:
    front = make()
    blocks = 3.0 * torch.randn(16, 50, 40) + 2.0
    for _ in range(100):
        front(blocks)
    trained = front(blocks)
    front.eval()
    assert torch.allclose(front(blocks), trained, rtol=1e-2, atol=1e-2)


def test_frozen_statistics_predict_otherwise_than_they_trained() -> None:
    front = make(frozen_statistics=True)
    blocks = 3.0 * torch.randn(16, 50, 40) + 2.0
    for _ in range(100):
        trained = front(blocks)
    normalisation = next(m for m in front.modules() if isinstance(m, nn.BatchNorm1d))
    assert normalisation.running_mean is not None
    assert normalisation.running_var is not None
    assert not normalisation.running_mean.any()
    assert normalisation.running_var.eq(1).all()
    assert trained.std().item() == pytest.approx(1.0, abs=0.01)
    assert front.eval()(blocks).std().item() > 1.5


def test_padding_counts_in_no_statistics() -> None:
    padded, alone = make(), make()
    alone.load_state_dict(padded.state_dict())
    blocks = torch.randn(1, 10, 40)
    mask = torch.ones(1, 30, 1)
    mask[:, 10:] = 0
    made = padded(nn.functional.pad(blocks, (0, 0, 0, 20)), mask)
    assert torch.allclose(made[:, :10], alone(blocks), atol=1e-6)
    assert not made[:, 10:].any()
    for key, value in padded.state_dict().items():
        assert torch.allclose(value, alone.state_dict()[key])


def test_a_block_too_short_for_the_pooling_is_refused() -> None:
    with pytest.raises(UserError, match="blocks of 3 values are too short for 3 convolutions"):
        make(3, shapes(3, 8, 3))
