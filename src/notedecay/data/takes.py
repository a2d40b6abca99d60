"""Unique ids of notes that are safe as keys and file names.

An id ``<instrument>/<take>/<pitch>`` names folders, artifacts and pictures, in stores that
refuse most characters. This module makes ids of file names, which may hold any character.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from notedecay.data import pitch
from notedecay.data.names import Named

MAX_LENGTH = 80
"""Of one part of an id: three of them and their marks fit into a file name of 255 bytes."""

Names = Mapping[PurePath, Named | None]
"""Parsed name of each file by its path below the data folder; None for no pitch."""
Take = Callable[[PurePath, Named], str]


def slug(text: str) -> str:
    """Spell a text with ASCII letters, digits, dots, dashes and underscores.

    Parameters
    ----------
    text : str
        Anything, such as the name of a folder.

    Returns
    -------
    str
        1 to 80 characters, not beginning with a dot. Accents are dropped, a run of other
        characters becomes one dash; a text with nothing to keep becomes a short hash of it.
        Different texts may become the same.

    Examples
    --------
    >>> slug("Mein Flügel #2")
    'Mein-Flugel-2'
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    safe = re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-.")
    if not safe:
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return safe[:MAX_LENGTH].rstrip("-.")


def note_ids(named: Names) -> dict[PurePath, list[str]]:
    """Give each note of some files a unique id.

    The take in an id is dynamic, string, playing, velocity layer and repetition of the name, or
    else the folder's name. Where two notes would share an id, the words in which the names of their
    folder differ are added to all takes of that folder, then the folders' names, and at last a
    number.

    Parameters
    ----------
    named : mapping of Path to Named or None
        Path ``<instrument>/<source>/...`` below the data folder, and its parsed name.

    Returns
    -------
    dict of Path to list of str
        An id for each pitch of each file, in order; one by the file's stem where it names no
        pitch.
    """
    levels: list[Take] = [_by_known_words, _by_all_words(named), _by_folders_too(named)]
    level = dict.fromkeys({_source(path) for path in named}, 0)
    while True:
        ids = {path: list(_ids(path, parsed, levels[level[_source(path)]]))
               for path, parsed in named.items()}  # fmt: skip
        counts = Counter(id_ for path, some in ids.items() if named[path] for id_ in some)
        shared = {_source(path) for path, some in ids.items() if any(counts[i] > 1 for i in some)}
        raised = {source for source in shared if level[source] < len(levels) - 1}
        if not raised:
            return _numbered(ids)
        for source in raised:
            level[source] += 1


def _ids(path: PurePath, parsed: Named | None, take: Take) -> Iterator[str]:
    instrument, source = _source(path)
    if parsed is None:
        yield f"{instrument}/{slug(source)}/{slug(path.stem)}"
        return
    for midi in parsed.pitches:
        yield f"{instrument}/{slug(take(path, parsed))}/{pitch.name(midi)}"


def _source(path: PurePath) -> tuple[str, str]:
    return path.parts[0], path.parts[1]


def _by_known_words(path: PurePath, parsed: Named) -> str:
    return parsed.take or _source(path)[1]


def _by_all_words(named: Names) -> Take:
    """Also the words that not every name of the folder holds."""
    common = _common_words(named)

    def take(path: PurePath, parsed: Named) -> str:
        own = [word for word in parsed.rest if word not in common[_source(path)]]
        return "-".join(filter(None, [parsed.take, *own])) or _source(path)[1]

    return take


def _by_folders_too(named: Names) -> Take:
    """Also the names of the source and of the folders in it."""
    by_words = _by_all_words(named)

    def take(path: PurePath, parsed: Named) -> str:
        words = by_words(path, parsed)
        folders = path.parts[1:-1]
        return "-".join([*folders, words] if words != folders[0] else folders)

    return take


def _common_words(named: Names) -> dict[tuple[str, str], set[str]]:
    common: dict[tuple[str, str], set[str]] = {}
    for path, parsed in named.items():
        if parsed:
            words = set(parsed.rest)
            common[_source(path)] = common.get(_source(path), words) & words
    return common


def _numbered(ids: Mapping[PurePath, list[str]]) -> dict[PurePath, list[str]]:
    """Number what is still the same, in the order of the paths."""
    taken: set[str] = set()
    result: dict[PurePath, list[str]] = {}
    for path in sorted(ids):
        result[path] = [_free(id_, taken) for id_ in ids[path]]
    return result


def _free(id_: str, taken: set[str]) -> str:
    head, _, name = id_.rpartition("/")
    number, free = 1, id_
    while free.lower() in taken:  # some file systems do not tell capitals apart
        number += 1
        free = f"{head}-{number}/{name}"
    taken.add(free.lower())
    return free
