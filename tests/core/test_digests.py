"""Hashes of code: what a figure depends on counts, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core import digests
from notedecay.core.digests import code_digest


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of its own in the place of notedecay."""
    (tmp_path / "core").mkdir()
    monkeypatch.setattr(digests, "__file__", str(tmp_path / "core/digests.py"))
    write(tmp_path / "models/__init__.py", "from notedecay.models.gru import Gru\nX = 1\n")
    write(tmp_path / "models/gru.py", "from notedecay.models.net import net\n\n\nGru = net\n")
    write(tmp_path / "models/net.py", '"""Nets."""\n\nnet = 1\n')
    write(tmp_path / "models/vrnn.py", "from notedecay.plots import draw\nVrnn = 2\n")
    write(tmp_path / "plots/__init__.py", "def draw():\n    return 3\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    for cached in (digests._source, digests._read, digests._passed_on):
        cached.cache_clear()


GRU = ["notedecay.models.gru"]


def test_code_that_is_imported_counts(house: Path) -> None:
    before = code_digest(GRU)
    write(house / "models/net.py", "net = 2\n")
    assert code_digest(GRU) != before


@pytest.mark.parametrize("file", ["models/vrnn.py", "models/__init__.py", "plots/__init__.py"])
def test_code_that_is_not_imported_does_not_count(house: Path, file: str) -> None:
    before = code_digest(GRU)
    write(house / file, "Y = 5\n")
    assert code_digest(GRU) == before


@pytest.mark.parametrize(
    "text",
    [
        '"""Other words."""\n\nnet = 1\n',
        "net = 1  # why\n",
        "net  =  1\n",
        'net = 1\n"""What it is."""\n',
    ],
)
def test_comments_docstrings_and_layout_do_not_count(house: Path, text: str) -> None:
    before = code_digest(GRU)
    write(house / "models/net.py", text)
    assert code_digest(GRU) == before


def test_what_is_left_out_does_not_count_nor_what_it_imports(house: Path) -> None:
    roots, without = ["notedecay.models.vrnn"], ["notedecay.plots"]
    before = code_digest(roots, without)
    write(house / "plots/__init__.py", "def draw():\n    return 4\n")
    assert code_digest(roots, without) == before
    assert code_digest(roots) != before


def test_a_package_passes_names_on_and_counts_for_its_own(house: Path) -> None:
    write(house / "a.py", "from notedecay.models import Gru\n")
    write(house / "b.py", "from notedecay.models import X\n")
    passed, own = code_digest(["notedecay.a"]), code_digest(["notedecay.b"])
    write(house / "models/__init__.py", "from notedecay.models.gru import Gru\nX = 2\n")
    assert code_digest(["notedecay.a"]) == passed
    assert code_digest(["notedecay.b"]) != own
