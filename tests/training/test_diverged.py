"""A fit ends in the epoch whose step makes the weights infinite, and reports nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from notedecay.data.note import Clip
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.training import TrainingDiverged, fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)
NOTE = Clip("bells/ff/A3", 57, damped([220.0], [2.0], [1], seconds=1.0, rate=RATE), RATE)


def breaking(model: LearnedContinuator[Any], epoch: int) -> None:
    """Make the gradient of an epoch infinite, while its loss is a number."""
    honest, calls = model.loss, 0

    def loss(*given: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        value = honest(*given)
        if calls == epoch:
            value.register_hook(lambda grad: grad * torch.inf)
        return value

    model.loss = loss  # type: ignore[method-assign]


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_step_that_breaks_the_weights_ends_the_training_in_its_epoch(
    epoch: int, tmp_path: Path
) -> None:
    model = create("gru", SIGNAL, {"units": 16, "resolution": 40, "epochs": 3})
    assert isinstance(model, LearnedContinuator)
    breaking(model, epoch)
    reported: list[int] = []
    with pytest.raises(TrainingDiverged, match=f"in epoch {epoch}: .* is not finite") as caught:
        fit(
            model,
            [NOTE],
            seed=0,
            device="cpu",
            report=lambda done: reported.append(done.number),
            checkpoint=tmp_path,
            every=1,
        )
    assert "\n" not in str(caught.value)
    assert reported == list(range(1, epoch))
