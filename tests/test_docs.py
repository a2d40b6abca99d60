"""Links, paths, commands and names in the documents: each is of something that is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from notedecay.cli import app
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


def commands(page: Path, program: str) -> list[list[str]]:
    """Words after a program's name, in blocks of shell commands and in inline code."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += re.findall(r"`([^`]+)`", prose)
    found = [line.partition("#")[0].split() for line in lines]
    return [words[1:] for words in found if words[1:] and words[0] == program]


OWN = typer.main.get_command(app)
OF_STAGES = {"configure", "prepare", "search", "train", "compare", "register"}


TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]


@pytest.mark.parametrize("page", TODAY, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_are_named_exist(page: Path) -> None:
    for name, *words in commands(page, "notedecay"):
        if name.startswith("-"):
            continue
        assert name in OWN.commands, name
        command = OWN.commands[name]
        below = getattr(command, "commands", {})  # of a group, such as 'search run'
        each = [command, below.get(words[0] if words else "", below.get("run", command))]
        known = {option for found in each for one in found.params for option in one.opts}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"notedecay {name}"
        assert name != "stage" or words[0] in OF_STAGES, words
    targets = re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name, *_ in commands(page, "make"):
        assert name in targets, f"make {name}"


def test_the_commands_are_found_in_pages() -> None:
    readme = commands(ROOT / "README.md", "notedecay")
    assert ["generate", "--model", "piano", "--prime", "NOTE.wav", "--out", "OUT.wav"] in readme
    assert ["repro"] in commands(ROOT / "README.md", "make")
    named = {words[0] for page in PAGES for words in commands(page, "notedecay")}
    assert named >= {"generate", "fetch", "add", "pin", "evaluate", "ablate", "pool", "paper"}


def test_what_the_architecture_names_is_in_the_code() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    names = re.findall(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`", prose)
    modules = [*(ROOT / "src").rglob("*.py"), ROOT / "params.yaml"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    known = set(re.findall(r"\w+", code)) | {
        path.name for path in (ROOT / "src/notedecay").iterdir()
    }
    unknown = [
        name for name in names
        if not (ROOT / name).exists() and not set(name.split(".")) <= known
    ]  # fmt: skip
    assert len(names) > 20
    assert not unknown


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
