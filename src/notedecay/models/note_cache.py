"""Cache on disk of what is measured of training notes, shared by trainings and processes."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from notedecay.core.errors import UserError
from notedecay.core.files import replacing

MAX_BYTES = 4 * 2**30
"""Size up to which a cache grows: some 25,000 notes of 9 copies, 165 KB each."""

Arrays = Mapping[str, NDArray[np.generic]]


class NoteCache:
    """Named arrays of notes, a file for each note.

    Several processes may use a folder at once: a file is complete or not there. One that is
    damaged counts as missing. Where the cache is full, what other versions of the code have left
    is removed; if it still is, the notes that it holds stay, and others are measured each time.
    Nothing is evicted for a newer note: a cache of the newest, walked in order, would serve none.

    Parameters
    ----------
    folder : Path
        Made on first use; such as ``mlruns/targets``.
    max_bytes : int
        Size up to which it grows.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = NoteCache(Path(folder))
    ...     cache.write("v1", "a", {"levels": np.arange(3)})
    ...     found = cache.read("v1", "a"), cache.read("v2", "a")
    >>> found
    ({'levels': array([0, 1, 2])}, None)
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._bytes = -1  # not counted yet
        self._tidied = False

    def read(self, version: str, key: str) -> dict[str, NDArray[np.generic]] | None:
        """Read the arrays of a note; None where there are none that can be used."""
        try:
            with self._path(version, key).open("rb") as file, np.load(file) as held:
                return {name: held[name] for name in held.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, version: str, key: str, arrays: Arrays) -> None:
        """Keep the arrays of a note; without a word where there is no room for them.

        Parameters
        ----------
        version : str
            Of the code that measures; a name of a folder.
        key : str
            Of the note and the settings; a name of a file.
        arrays : mapping of str to ndarray
            Numbers.
        """
        if not self._has_room(version):
            return
        with suppress(UserError), replacing(self._path(version, key)) as partial:
            with partial.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
            self._bytes += partial.stat().st_size

    def _path(self, version: str, key: str) -> Path:
        return self._folder / version / key[:2] / f"{key}.npz"

    def _has_room(self, version: str) -> bool:
        """Whether it may grow; the disk is read at the first note, and when it is first full."""
        if self._bytes < 0:
            self._bytes = _bytes_below(self._folder)
        if self._bytes >= self._max_bytes and not self._tidied:
            self._tidied = True
            for other in self._folder.glob("*"):
                if other.name != version:
                    shutil.rmtree(other, ignore_errors=True)
            self._bytes = _bytes_below(self._folder)
        return self._bytes < self._max_bytes


def _bytes_below(folder: Path) -> int:
    """Sum the sizes of all files in a folder, whatever another process removes meanwhile."""
    total = 0
    for path in folder.rglob("*.npz"):
        with suppress(OSError):
            total += path.stat().st_size
    return total
