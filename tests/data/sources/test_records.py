from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.data.sources import records
from notedecay.data.sources.records import SourceRecord


def test_an_origin_comes_back(tmp_path: Path) -> None:
    known = SourceRecord("somewhere", "1.0", "CC BY 3.0", "Jürgen")
    records.write(known, tmp_path)
    assert records.read(tmp_path) == known


def test_a_folder_without_one_is_the_users_own(tmp_path: Path) -> None:
    assert records.read(tmp_path) == records.OWN


@pytest.mark.parametrize("text", ["", "[]", '{"source": "x"}', '{"colour": "red"}'])
def test_a_broken_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "source.json").write_text(text)
    with pytest.raises(UserError, match=r"source\.json does not hold"):
        records.read(tmp_path)
