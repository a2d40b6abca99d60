"""The package as pip installs it, used in an empty folder without a clone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from notedecay import audio
from tests import toy
from tests.synthetic import damped

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package was installed to, without what it depends on."""
    source = tmp_path_factory.mktemp("source") / "notedecay"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(toy.ROOT / "src", source / "src", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(toy.ROOT / name, source)
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, str(target), str(source)], check=True
    )
    return target


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def notedecay(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {**toy.environment(), "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [str(installed / "bin/notedecay"), *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_says_its_version_and_is_typed(installed: Path, empty: Path) -> None:
    assert notedecay(installed, empty, "--version") == "notedecay 0.1.0\n"
    assert (installed / "notedecay/py.typed").is_file()


@pytest.mark.parametrize("instrument", ["piano", "guitar"])
def test_a_note_is_continued_right_after_installation(
    installed: Path, empty: Path, instrument: str
) -> None:
    partials = [261.6, 523.3, 785.1]
    note = damped(partials, [3.0, 2.0, 1.5], [1, 0.5, 0.3], seconds=1.0, rate=44_100)
    audio.write(empty / "NOTE.wav", note, 44_100)
    arguments = ("generate", "--model", instrument, "--prime", "NOTE.wav", "--out", "OUT.wav")
    out = notedecay(installed, empty, *arguments)
    samples, rate = soundfile.read(empty / "OUT.wav")
    assert out == f"OUT.wav: {len(samples) / rate:.2f} s at {rate} Hz, the prime included\n"
    assert len(samples) == round(0.33 * rate) + 5 * rate
    level = [np.sqrt(np.mean(part**2)) for part in np.array_split(samples, 5)]
    assert level[0] > level[1] > level[2]
    assert sorted(path.name for path in empty.iterdir()) == ["NOTE.wav", "OUT.wav"]
