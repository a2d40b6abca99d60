"""Checksums of a saved model's files, in the format of ``sha256sum``.

A flipped bit in a weight changes the sound without an error. The checksums lie beside the files,
so that a copy of the folder can be checked anywhere. Folders of the first versions have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from notedecay.core.digests import sha256
from notedecay.core.errors import DamagedError
from notedecay.core.files import replacing

SUMS = "SHA256SUMS"
"""File in a saved model's folder that holds the checksums of the others."""

MEND = "bring it back from a copy, or train the model again"


def of_folder(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder, by its name below the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def write(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of some files of a folder beside them."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in sorted(names)]
    with replacing(folder / SUMS) as path:
        path.write_text("".join(lines), encoding="utf-8")


def check(folder: Path) -> None:
    """Compare the files of a folder with the checksums beside them, where there are any.

    Raises
    ------
    DamagedError
        A file is missing or changed, or the checksums themselves are damaged.
    """
    path = folder / SUMS
    if path.exists():
        compare(_read(path), folder, MEND)


def compare(expected: Mapping[str, str], folder: Path, mend: str) -> None:
    """Compare files of a folder with checksums by name; files without a checksum are not read.

    Parameters
    ----------
    expected : mapping of str to str
        SHA-256 by name below the folder.
    folder : Path
        Folder of the files.
    mend : str
        How to mend a file that differs, for the error message.

    Raises
    ------
    DamagedError
        A file is missing, cannot be read, or is changed.
    """
    for name, digest in expected.items():
        path = folder / name
        try:
            found = sha256(path)
        except OSError as error:
            raise DamagedError(f"{path} cannot be read: {error.strerror}: {mend}") from error
        if found != digest:
            raise DamagedError(f"{path} is not as it was saved (its SHA-256 differs): {mend}")


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read: {MEND}") from error
    found = [re.fullmatch(r"([0-9a-f]{64})  ([\w.-]+)", line) for line in lines]
    if not found or None in found:
        raise DamagedError(f"{path} holds no checksums: {MEND}")
    return {one[2]: one[1] for one in found if one}
