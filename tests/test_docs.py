"""Links and paths in the documents: each leads to something that is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.test_floors import ARROWS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?<![\w/.])((?:src|tests|benchmarks|docs)/[\w./*-]*[\w*])")
MODULE = re.compile(r"`([a-z_]+(?:/[a-z_]+)+\.py)`")
"""A module as the documents name it where its room is clear, such as ``models/base.py``."""


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lost = [path for path in NAMED.findall(text) if not any(ROOT.glob(path))]
    lost += [
        path
        for path in MODULE.findall(text)
        if not any((top / path).exists() for top in (ROOT, ROOT / "src/notedecay"))
    ]
    assert not lost


def test_there_are_pages():
    assert len(PAGES) > 15


def test_the_drawn_rooms_are_those_of_the_code_from_the_top_down():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    tree = text.partition("src/notedecay/\n  ")[2].partition("```")[0]
    drawn = re.findall(r"^(?:  )?(\w+)(?:/|\.py) ", tree, re.MULTILINE)
    assert drawn == list(ARROWS)[::-1]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["repository-code"] == project["urls"]["Source"]
