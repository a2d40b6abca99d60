from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.errors import UserError
from notedecay.notes import origin
from notedecay.notes.origin import Origin


def test_an_origin_comes_back(tmp_path: Path) -> None:
    known = Origin("somewhere", "1.0", "CC BY 3.0", "Jürgen")
    origin.write(known, tmp_path)
    assert origin.read(tmp_path) == known


def test_a_folder_without_one_is_the_users_own(tmp_path: Path) -> None:
    assert origin.read(tmp_path) == origin.OWN


@pytest.mark.parametrize("text", ["", "[]", '{"source": "x"}', '{"colour": "red"}'])
def test_a_broken_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "source.json").write_text(text)
    with pytest.raises(UserError, match=r"source\.json does not hold"):
        origin.read(tmp_path)
