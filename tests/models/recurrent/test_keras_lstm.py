"""The LSTM with gates of Keras 1, against the one that torch has."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from notedecay.models.recurrent.keras_lstm import GatedLstm, hard_sigmoid


def test_hard_sigmoid_is_that_of_keras_1() -> None:
    x = torch.tensor([-4.0, -2.5, -1.0, 0.0, 1.0, 2.5, 4.0])
    assert np.allclose(hard_sigmoid(x), [0.0, 0.0, 0.3, 0.5, 0.7, 1.0, 1.0], atol=1e-7)


@pytest.mark.parametrize("layers", [1, 3])
def test_with_the_logistic_sigmoid_it_is_the_lstm_of_torch(layers: int) -> None:
    torch.manual_seed(0)
    theirs = nn.LSTM(5, 8, layers, batch_first=True)
    ours = GatedLstm(5, 8, layers, torch.sigmoid)
    ours.load_state_dict(theirs.state_dict())
    inputs = torch.randn(3, 20, 5)
    expected, memory = theirs(inputs[:, :12])
    made, state = ours(inputs[:, :12])
    assert torch.allclose(made, expected, atol=1e-6)
    assert torch.allclose(
        ours(inputs[:, 12:], state)[0], theirs(inputs[:, 12:], memory)[0], atol=1e-6
    )


def test_one_step_by_hand() -> None:
    lstm = GatedLstm(1, 1, 1)
    values = {"weight_ih_l0": [1.0, 2.0, 0.5, -1.0], "bias_ih_l0": [0.0, 1.0, 0.0, 0.0]}
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            parameter.copy_(torch.tensor(values.get(name, [0.0] * 4)).view_as(parameter))
        cell = torch.full((1, 1, 1), 2.0)
        made, (_, after) = lstm(torch.ones(1, 1, 1), (torch.zeros_like(cell), cell))
    # Gates 0.2 x + 0.5: write 0.7, forget min(1, 1.1), read 0.3.
    expected = 1.0 * 2.0 + 0.7 * np.tanh(0.5)
    assert after.item() == pytest.approx(expected, rel=1e-6)
    assert made.item() == pytest.approx(0.3 * np.tanh(expected), rel=1e-6)
