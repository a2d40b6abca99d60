"""A small modal model, trained once for all tests of this folder, and one cache for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notedecay.models.modal.model import Modal
from notedecay.models.note_cache import NoteCache
from notedecay.training.fit import fit
from tests.models.modal.bells import bell, make


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Modal, "cache", NoteCache(tmp_path_factory.mktemp("targets")))
        yield


@pytest.fixture(scope="session")
def trained() -> Modal:
    model = make()
    fit(model, [bell(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
    return model
