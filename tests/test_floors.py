"""Floors: what lies lower knows nothing of what lies higher."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import notedecay

TOP = Path(notedecay.__file__).parent
FLOORS = {
    "errors": 0,
    "commands": 0,
    "digests": 0,
    "files": 0,
    "config": 0,
    "project": 0,
    "audio": 0,
    "notes": 0,
    "continuators": 1,
    "analysis": 1,
    "generation": 2,
    "jobs": 2,
    "training": 2,
    "search": 3,
    "tracking": 3,
    "registry": 3,
    "pipeline": 4,
    "evaluation": 4,
    "paper": 4,
    "messages": 4,
    "cli": 4,
    "__init__": 4,
}
MODULES = sorted(TOP.rglob("*.py"))


def part(path: Path) -> str:
    return path.relative_to(TOP).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Parts of the package that a module imports anywhere; the package itself is none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its floor"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "notedecay" and rest:
                yield rest.split(".")[0]


def test_every_part_has_a_floor():
    assert {part(path) for path in MODULES} == FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TOP)))
def test_no_module_imports_a_higher_floor(path):
    higher = {name for name in imported(path) if FLOORS[name] > FLOORS[part(path)]}
    assert higher == set()


def test_the_lower_floors_load_neither_tracking_nor_search_nor_versioning():
    low = [path.relative_to(TOP.parent) for path in MODULES if FLOORS[part(path)] <= 2]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in low]
    program = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        "print({'mlflow', 'optuna', 'dvc'} & {name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert len(names) > 40
    assert done.stdout.strip() == "set()"
