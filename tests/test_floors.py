"""The floors of the house: a room imports only the rooms below it that are named here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import notedecay

TOP = Path(notedecay.__file__).parent
ARROWS: dict[str, set[str]] = {
    "core": set(),
    "metrics": set(),
    "audio": {"core"},
    "data": {"core", "audio"},
    "models": {"core", "metrics", "audio", "data"},
    "plots": {"core", "metrics", "data"},
    "training": {"core", "metrics", "audio", "data", "models", "plots"},
    "inference": {"core", "audio", "models"},
    "tracking": {"core", "models", "training"},
    "experiments": {"core", "metrics", "audio", "data", "models", "training", "tracking"},
    "reports": {"core", "data", "experiments", "plots"},
    "serving": {"core", "audio", "models", "inference"},
    "registry": {"core", "audio", "data", "models", "tracking", "experiments", "serving"},
    "champions": {"core", "models", "tracking", "registry"},
    "studies": {
        "core", "metrics", "audio", "data", "models", "plots", "training", "tracking",
        "experiments", "reports",
    },
    "pipeline": {
        "core", "data", "models", "plots", "training", "tracking", "experiments", "registry",
    },
    "cli": {
        "core", "audio", "data", "inference", "tracking", "experiments", "reports", "serving",
        "registry", "champions", "studies", "pipeline",
    },
    "__init__": {"audio", "models", "inference", "champions"},
}  # fmt: skip
"""From the lowest floor to the highest; each arrow is in use."""

BELOW_TRACKING = list(ARROWS)[: list(ARROWS).index("tracking")]
MODULES = sorted(TOP.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(TOP).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Rooms that a module imports anywhere; ``__init__`` is the face of the package."""
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
            if top == "notedecay":
                yield rest.split(".")[0] or "__init__"


def test_arrows_go_down():
    rooms = list(ARROWS)
    below = {name: set(rooms[: rooms.index(name)]) for name in rooms}
    up = {(a, b) for a, targets in ARROWS.items() for b in targets - below[a]}
    assert not up


@pytest.mark.parametrize("name", ARROWS)
def test_a_room_imports_what_the_house_says(name: str) -> None:
    found = {to for path in MODULES if room(path) == name for to in imported(path)} - {name}
    assert found == ARROWS[name]


def test_every_module_is_in_a_room():
    assert {room(path) for path in MODULES} == ARROWS.keys()


def test_the_floors_below_tracking_load_neither_tracking_nor_search_nor_versioning():
    low = [path.relative_to(TOP.parent) for path in MODULES if room(path) in BELOW_TRACKING]
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
