"""Shell commands: quoting for messages, and the search path for child processes."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path


def pasteable(*words: str | Path) -> str:
    """Quote a command for a shell.

    Parameters
    ----------
    *words : str or Path
        The program and its arguments.

    Returns
    -------
    str
        One line that a shell takes for the same words.
    """
    return shlex.join(str(word) for word in words)


def installed(program: str) -> Path:
    """Path of a program that is installed in the environment of this interpreter."""
    return Path(sys.executable).with_name(program)


def find_children() -> None:
    """Put the environment of this interpreter first on the search path, activated or not.

    What is started from here, such as git hooks of DVC or programs of MLflow, then finds the
    programs that are installed with it.
    """
    here = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, path])
