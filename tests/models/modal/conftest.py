"""A small modal model, trained once for all tests of this folder."""

from __future__ import annotations

import pytest

from notedecay.models.modal.model import Modal
from notedecay.training.fit import fit
from tests.models.modal.bells import bell, make


@pytest.fixture(scope="session")
def trained() -> Modal:
    model = make()
    fit(model, [bell(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
    return model
