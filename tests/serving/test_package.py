"""A registered version works with the code that it carries, and nothing else of notedecay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from notedecay.models import Signal, create
from notedecay.serving import package
from tests.test_floors import ARROWS

USE = """
import sys
from pathlib import Path
code, model = sys.argv[1:]
sys.path.insert(0, code)
import notedecay.serving.pyfunc_model
import numpy as np
from notedecay import models
model = models.load(Path(model))
tone = np.sin(np.arange(model.signal.prime_samples)).astype(np.float32)
assert np.isfinite(model.continue_prime(tone, 100)).all()
ours = [m for m in list(sys.modules.values()) if m.__name__.split(".")[0] == "notedecay"]
assert all(Path(m.__file__).is_relative_to(code) for m in ours), ours
from importlib.metadata import packages_distributions
names = packages_distributions()
print(*{name for m in sys.modules for name in names.get(m.split(".")[0], [])})
"""


def test_the_rooms_are_those_that_serving_imports() -> None:
    found, ahead = set(), ["serving"]
    while ahead:
        room = ahead.pop()
        found.add(room)
        ahead += ARROWS[room] - found
    names = {room.removesuffix(".py") for room in package.ROOMS}
    assert names == found | {"__init__"}


def test_the_copied_code_continues_a_note_by_itself(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    create("esprit", Signal(instrument="bells", rate=2000), {"order": 8}).save(model)
    code = package.copy_code(tmp_path).parent
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", USE, str(code), str(model)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = {name.lower() for name in done.stdout.split()}
    assert set(package.DISTRIBUTIONS) <= loaded


def test_requirements_are_released_versions() -> None:
    lines = package.requirements()
    assert [line.partition("==")[0] for line in lines] == list(package.DISTRIBUTIONS)
    assert all(line.partition("==")[2][0].isdigit() and "+" not in line for line in lines)
