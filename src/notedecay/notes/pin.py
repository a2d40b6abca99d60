"""The pin: which bytes the data folder must hold, however they came.

``data.dvc`` carries the hash that DVC gives to the folder, and ``data.md5`` (in the format of
``md5sum``, ``data.dvc`` itself in its head) lists the files. DVC alone would quietly re-pin
changed data on ``dvc repro``; the list lets the first stage refuse, name the files, and put
``data.dvc`` back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from notedecay.errors import UserError, nearest
from notedecay.files import replacing

LIST = "data.md5"
Manifest = dict[str, str]
"""MD5 of each file by its path below the data folder."""


def manifest(data: Path, instrument: str | None = None) -> Manifest:
    """Hash the files of the data folder, or of one instrument; hidden ones do not count."""
    top = data / instrument if instrument else data
    files = sorted(p.relative_to(data) for p in top.rglob("*") if p.is_file())
    shown = [file for file in files if not any(part.startswith(".") for part in file.parts)]
    return {file.as_posix(): _md5(data / file) for file in shown}


@dataclass(frozen=True)
class Pin:
    """What ``data.md5`` says.

    Attributes
    ----------
    files : dict of str to str
        MD5 of each file by its path below the data folder.
    dvc : str
        Text of the ``data.dvc`` that belongs to them.
    """

    files: Manifest
    dvc: str


def read_pin(path: Path) -> Pin:
    """Read ``data.md5``.

    Raises
    ------
    UserError
        For a file that is missing or not in the format of ``md5sum``.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; restore it from git, or run 'notedecay pin'"
        ) from error
    files: Manifest = {}
    for number, line in enumerate(lines, 1):
        found = re.fullmatch(r"([0-9a-f]{32})  (.+)", line)
        if found:
            files[found[2]] = found[1]
        elif not line.startswith("#"):
            raise UserError(f"{path}, line {number}: not as md5sum writes it; restore it from git")
    head = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    return Pin(files, "".join(f"{line}\n" for line in head))


def write_pin(pin: Pin, path: Path) -> None:
    """Write ``data.md5``."""
    head = "".join(f"# {line}\n" for line in pin.dvc.splitlines())
    files = "".join(f"{pin.files[name]}  {name}\n" for name in sorted(pin.files))
    with replacing(path) as sibling:
        sibling.write_text(head + files, encoding="utf-8")


def differences(pinned: Manifest, actual: Manifest) -> list[str]:
    """Say in words how files differ from the pin, a line per file."""
    missing = [f"missing: {name}" for name in sorted(pinned.keys() - actual.keys())]
    unknown = [f"not pinned: {name}" for name in sorted(actual.keys() - pinned.keys())]
    changed = [
        f"changed: {name}"
        for name in sorted(pinned.keys() & actual.keys())
        if pinned[name] != actual[name]
    ]
    return missing + changed + unknown


def verify(root: Path, instrument: str | None = None) -> int:
    """Compare the data folder with the pin.

    Parameters
    ----------
    root : Path
        Holds ``data/``, ``data.dvc`` and ``data.md5``.
    instrument : str, optional
        Compare this instrument alone.

    Returns
    -------
    int
        How many files were compared.

    Raises
    ------
    UserError
        Naming the files that are missing, changed or not pinned; ``data.dvc`` is put back
        where DVC had followed the change. Also for an instrument that is neither pinned nor
        there.
    """
    pin = read_pin(root / LIST)
    wanted = {
        n: m for n, m in pin.files.items() if not instrument or n.startswith(f"{instrument}/")
    }
    actual = manifest(root / "data", instrument)
    if instrument and not wanted and not actual:
        known = {name.partition("/")[0] for name in pin.files}
        raise UserError(f"data.dvc pins no instrument '{instrument}'{nearest(instrument, known)}")
    wrong = differences(wanted, actual)
    if wrong:
        _put_back(pin, root / "data.dvc")
        few = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise UserError(
            f"data/ is not what data.dvc pins: {few}. Run 'notedecay fetch' (or 'dvc checkout') "
            "to bring the pinned files back, or 'notedecay pin' to accept these"
        )
    return len(wanted)


def damaged(root: Path) -> set[Path]:
    """Folders of the data folder with a pinned file that is changed or missing."""
    pinned, data = read_pin(root / LIST).files, root / "data"
    actual = manifest(data)
    wrong = [name for name in pinned if actual.get(name) != pinned[name]]
    return {(data / name).parent for name in wrong}


def _put_back(pin: Pin, path: Path) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != pin.dvc:
        with replacing(path) as sibling:
            sibling.write_text(pin.dvc, encoding="utf-8")


def accept(root: Path, add: Callable[[], None]) -> int:
    """Pin the data folder as it is.

    Parameters
    ----------
    root : Path
        Holds ``data/``.
    add : callable
        Tells DVC to add the folder (``dvc add data``).

    Returns
    -------
    int
        How many files are pinned.
    """
    files = manifest(root / "data")
    if not files:
        raise UserError(f"{root / 'data'} holds no files to pin; run 'notedecay fetch' first")
    add()
    write_pin(Pin(files, (root / "data.dvc").read_text(encoding="utf-8")), root / LIST)
    return len(files)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
