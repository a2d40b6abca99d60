"""Where a run comes from: code, data, pipeline state, seed."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import notedecay
from notedecay.project import Project


def provenance(project: Project, seed: int, clips: Path) -> dict[str, str]:
    """Tags that say with which code and data a run was made.

    Parameters
    ----------
    project : Project
        Where git and DVC keep their state.
    seed : int
        Of the pipeline.
    clips : Path
        The file of clips that the run learns from.

    Returns
    -------
    dict of str to str
        ``git.commit``, ``git.dirty``, ``data.md5`` (of ``data.dvc``), ``clips.md5``,
        ``dvc.lock.md5`` and ``seed``; ``unknown`` where the project is not a git clone or was
        never reproduced.
    """
    commit = _git(project.root, "rev-parse", "HEAD")
    changes = _git(project.root, "status", "--porcelain", "--untracked-files=no")
    return {
        "mlflow.source.git.commit": commit or "unknown",
        "git.commit": commit or "unknown",
        "git.dirty": "unknown" if changes is None else str(bool(changes)).lower(),
        "data.md5": digest(project.root / "data.dvc"),
        "clips.md5": digest(clips),
        "dvc.lock.md5": digest(project.root / "dvc.lock"),
        "seed": str(seed),
    }


def digest(path: Path) -> str:
    """MD5 of a file (DVC's own hash), ``unknown`` where there is none."""
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "unknown"


def code_digest(*packages: str) -> str:
    """Hash of the source of packages of notedecay: figures of other code do not compare."""
    top = Path(notedecay.__file__).parent
    files = sorted(path for name in packages for path in (top / name).rglob("*.py"))
    content = b"".join(
        path.relative_to(top).as_posix().encode() + path.read_bytes() for path in files
    )
    return hashlib.sha256(content).hexdigest()[:16]


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
