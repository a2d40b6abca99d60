"""Where to compute."""

from __future__ import annotations

import pytest
import torch

from notedecay.core.errors import UserError
from notedecay.training import choose_device


@pytest.mark.parametrize("gpus", [0, 2])
def test_auto_takes_a_gpu_where_there_is_one(gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert choose_device("auto").type == ("cuda" if gpus else "cpu")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "tpu"])
def test_a_device_that_is_not_here_is_one_clear_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"device '{name}' is not here"):
        choose_device(name)
