"""The GRU sibling: its own core, no gates to choose."""

from __future__ import annotations

from torch import nn

from notedecay.models import Signal, create
from notedecay.models.recurrent.gru import Gru


def test_the_core_is_a_gru_with_its_own_names_in_files() -> None:
    gru = create("gru", Signal(instrument="guitar", rate=2800), {"units": 16, "layers": 2})
    assert isinstance(gru, Gru)
    assert isinstance(gru.net.core, nn.GRU)
    assert gru.net.core.num_layers == 2
    assert gru.state()["gru.weight_hh_l1"].shape == (3 * 16, 16)
