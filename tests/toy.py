"""A whole project in small: real DVC, real MLflow, notes of known truth, a tiny net."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from notedecay.audio import write
from notedecay.data.pitch import hz, name
from notedecay.data.sources import lock
from tests.synthetic import damped

ROOT = Path(__file__).resolve().parents[1]
RATE = 8000

INSTRUMENT: dict[str, Any] = {
    "prepare": {
        "rate": 4000,
        "seconds": 1.6,
        "prime_seconds": 0.33,
        "highpass_hz": 25.0,
        "validation": 0.15,
        "test": 0.15,
    },
    "search": {
        "trials": 2,
        "startup": 1,
        "window": 2,
        "objectives": ["score"],
        "epochs": 2,
        "trial_seconds": None,
        "check_every": 1,
        "warmup_checks": 2,
        "patience": None,
        "finalists": 1,
        "folds": 2,
        "seeds": 0,
        "device": "auto",
        "workers": 1,
        "gpus_per_trial": 1.0,
        "spaces": {"lstm": {"units": [16, 24], "resolution": 60, "batch": 4}},
    },
    "train": {"epochs": 3, "check_every": 1, "device": "auto"},
    "evaluate": {
        "baselines": {"silence": {}, "esprit": {"order": 12}},
        "seen_notes": 3,
        "checkpoint_notes": 64,
        "listen": 1,
    },
    "register": {"measure": "score", "margin": 0.0},
}


def make_notes(folder: Path, pitches: range) -> None:
    """Bells: three partials whose T60 falls with their frequency."""
    folder.mkdir(parents=True)
    for pitch in pitches:
        f0 = hz(pitch)
        partials = [f0, 2.01 * f0, 3.03 * f0]
        note = damped(partials, [1.8, 1.2, 0.9], [1, 0.5, 0.3], seconds=1.8, rate=RATE, seed=pitch)
        write(folder / f"{name(pitch)}.wav", note, RATE)


def make_project(root: Path, pitches: range = range(57, 71)) -> Path:
    """A git repository with the project's own dvc.yaml, a toy instrument, and pinned notes."""
    make_empty_project(root)
    make_notes(root / "data/bells/own", pitches)
    lock.accept(root, lambda: dvc(root, "add", "-q", "data"))
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", "toy")
    return root


def make_empty_project(root: Path) -> Path:
    """The same without notes, nothing committed."""
    root.mkdir(parents=True, exist_ok=True)
    run(root, "git", "init", "-q")
    run(root, "git", "config", "user.email", "toy@example.org")
    run(root, "git", "config", "user.name", "toy")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", root / "src", ignore=ignore)
    for file in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / file, root / file)
    write_params(root, {"seed": 5, "instruments": {"bells": INSTRUMENT}})
    dvc(root, "init", "-q")
    return root


class _Plain(yaml.SafeDumper):
    """Writes no aliases, which are refused."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def plain_yaml(values: Any) -> str:
    return yaml.dump(values, Dumper=_Plain, sort_keys=False)


def write_params(root: Path, params: dict[str, Any]) -> None:
    """Write parameters; the defaults are the toy instrument where none are given."""
    params = {"defaults": INSTRUMENT, **params}
    (root / "params.yaml").write_text(plain_yaml(params))


def environment() -> dict[str, str]:
    """The tests' own interpreter first on the PATH, one thread, no store but the project's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return {**kept, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def run(root: Path, *command: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=root, env=environment(), capture_output=True, text=True, check=False
    )
    if ok and done.returncode:
        raise AssertionError(f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def dvc(root: Path, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    return run(root, sys.executable, "-m", "dvc", *arguments, ok=ok)


def notedecay(root: Path, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    return run(root, "notedecay", *arguments, ok=ok)
