"""The hashes of code: DVC makes them anew whenever a file that they are made of has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from notedecay.core import digests
from notedecay.core.config import load_params
from notedecay.core.project import Project
from notedecay.experiments import fingerprint
from notedecay.pipeline.configure import configure

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """The files that the hashes of the piano are made of."""
    found: set[Path] = set()
    plain = digests._read.__wrapped__

    def note(path: Path) -> tuple[str, list[str]]:
        found.add(path)
        return plain(path)  # type: ignore[no-any-return]

    monkeypatch.setattr(digests, "_read", note)
    for cached in (fingerprint.training_code, fingerprint.evaluation_code):
        cached.cache_clear()
    configure(Project(tmp_path), load_params(ROOT / "params.yaml"), "piano")
    return found


def test_every_file_that_a_hash_is_made_of_is_a_dependency_of_the_stage(read: set[Path]) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    package = Path(digests.__file__).parents[1]
    watched = [
        package / Path(dep).relative_to("src/notedecay")
        for dep in stages["configure"]["do"]["deps"]
    ]
    assert len(read) > 50
    assert [file for file in read if not any(file.is_relative_to(dep) for dep in watched)] == []
