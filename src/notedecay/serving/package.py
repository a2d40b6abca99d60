"""What a registered version carries, so that it works wherever MLflow loads it.

A version carries the code that it runs, and asks for no package ``notedecay``: that is on no
package index, so ``mlflow models serve`` could not install it into a fresh environment. A version
with its own code also gives the same samples after notedecay has changed, since MLflow puts that
code before an installed package. Only the rooms that generate notes are carried: half of the
package. Requirements name released versions, without a label such as ``+cpu`` of a local build.
"""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

SERVER = Path(__file__).with_name("app.py")
"""The script that serves a version."""

MODEL_CODE = Path(__file__).with_name("pyfunc_model.py")
"""The file that MLflow loads a version by."""

ROOMS = (
    "__init__.py", "audio", "core", "data", "inference.py", "metrics", "models", "serving",
)  # fmt: skip
"""What generates notes, and all that it imports."""

DISTRIBUTIONS = (
    "mlflow", "numpy", "pandas", "pydantic", "pyyaml", "safetensors", "scipy", "soundfile", "soxr",
    "torch",
)  # fmt: skip
"""What these rooms import."""


def copy_code(folder: Path) -> Path:
    """Copy the code that a version carries.

    Parameters
    ----------
    folder : Path
        Where to.

    Returns
    -------
    Path
        The package ``notedecay`` in that folder.
    """
    top, target = Path(__file__).parents[1], folder / "notedecay"
    target.mkdir()
    for room in ROOMS:
        if (top / room).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(top / room, target / room, ignore=ignore)
        else:
            shutil.copy(top / room, target / room)
    return target


def requirements() -> list[str]:
    """Distributions that a version needs, in the versions that are installed here."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in DISTRIBUTIONS]
