"""Hashes that identify files and code."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(path: Path) -> str:
    """MD5 of a file (DVC's own hash), ``unknown`` where there is none."""
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "unknown"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(*packages: str) -> str:
    """Hash of the source of packages of notedecay; figures of other code are not comparable."""
    top = Path(__file__).parents[1]
    files = sorted(path for name in packages for path in (top / name).rglob("*.py"))
    content = b"".join(
        path.relative_to(top).as_posix().encode() + path.read_bytes() for path in files
    )
    return hashlib.sha256(content).hexdigest()[:16]
