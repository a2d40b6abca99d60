"""Provenance of a run: versions of code, data and pipeline, and the seed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from notedecay.core.commands import pasteable
from notedecay.core.digests import digest
from notedecay.core.project import Project

WRITTEN = ("dvc.lock", "results")
"""Versioned files that the pipeline writes; a change of them is no change of code or data."""


def provenance(project: Project, seed: int, clips: Path) -> dict[str, str]:
    """Tags with the versions of code and data that a run is made with.

    Parameters
    ----------
    project : Project
        Where git and DVC keep their state.
    seed : int
        Of the pipeline.
    clips : Path
        The file of clips that the run uses.

    Returns
    -------
    dict of str to str
        ``git.commit``, ``git.dirty`` (what the pipeline itself writes does not count),
        ``data.md5`` (of ``data.dvc``), ``clips.md5``, ``dvc.lock.md5`` and ``seed``; ``unknown``
        where the project is not a git clone or was never reproduced.
    """
    commit = _git(project.root, "rev-parse", "HEAD")
    but = [f":(exclude){path}" for path in WRITTEN]
    changes = _git(project.root, "status", "--porcelain", "--untracked-files=no", "--", ":/", *but)
    return {
        "mlflow.source.git.commit": commit or "unknown",
        "git.commit": commit or "unknown",
        "git.dirty": "unknown" if changes is None else str(bool(changes)).lower(),
        "data.md5": digest(project.root / "data.dvc"),
        "clips.md5": digest(clips),
        "dvc.lock.md5": digest(project.root / "dvc.lock"),
        "seed": str(seed),
    }


def _git(root: Path, *arguments: str) -> str | None:
    """Output of a git command; None if there is no clone or no git, or if git refuses the clone."""
    command = ["git", "-C", str(root), *arguments]
    english = {**os.environ, "LC_ALL": "C"}
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=english
        )
    except OSError as error:
        if (root / ".git").exists():
            _warn_once(f"git cannot be run ({error.strerror}): runs are logged without a commit")
        return None
    if "dubious ownership" in answer.stderr:
        trust = re.search(r"safe\.directory (.+)", answer.stderr)
        top = shlex.split(trust[1])[0] if trust else str(root)
        remedy = pasteable("git", "config", "--global", "--add", "safe.directory", top)
        _warn_once(
            f"git refuses {top}, which belongs to another user, so runs are logged without "
            f"a commit; to trust it, run {remedy}"
        )
    return answer.stdout.strip() if answer.returncode == 0 else None


@cache
def _warn_once(line: str) -> None:
    print(line, file=sys.stderr)
