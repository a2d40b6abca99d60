"""Import of a folder of the user's own recordings into the data folder."""

from __future__ import annotations

import filecmp
import re
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from notedecay import audio
from notedecay.core.config import INSTRUMENT_NAME
from notedecay.core.errors import UserError, count
from notedecay.core.files import replacing, replacing_folder
from notedecay.data import chromatic_runs
from notedecay.data.catalogue import is_recording
from notedecay.data.filenames import is_hidden, refuse_unusable, unusable_name
from notedecay.data.names import Named
from notedecay.data.reading import read_name
from notedecay.data.sources import records

HIGHPASS_HZ = 25.0
"""Corner of the rumble filter while names are checked against the sound (Hz)."""
_SHOWN = 5
"""File names of one kind that a line lists."""


@dataclass(frozen=True)
class ImportedFolder:
    """Result of an import.

    Attributes
    ----------
    folder : Path
        Where the recordings are now.
    added, known : int
        Recordings that were copied, and that were there already.
    left_out : list of str
        Files that were not copied, and the reasons.
    kept : list of str
        Recordings of an earlier import that the folder no longer holds.
    """

    folder: Path
    added: int
    known: int
    left_out: list[str]
    kept: list[str]


def import_folder(folder: Path, instrument: str, data_dir: Path) -> ImportedFolder:
    """Copy a folder's recordings to ``data/<instrument>/<folder's name>``.

    Recordings that the stage ``prepare`` would refuse are found before anything is copied. A second
    call adds what is new in the folder.

    Parameters
    ----------
    folder : Path
        Holds recordings, in folders or not; named by pitch, such as ``C4.wav`` or
        ``my_guitar_C4_ff.wav``.
    instrument : str
        Name of the instrument.
    data_dir : Path
        The data folder.

    Returns
    -------
    ImportedFolder
        Counts, and lines on what was left out and what the folder holds no longer.

    Raises
    ------
    UserError
        No such folder, a name that cannot be used, or nothing in it that can be used.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    _refuse_inside(folder.resolve(), data_dir.resolve())
    check_instrument(instrument)
    target = data_dir / instrument / _target_name(folder)
    if (target / records.FILE).exists():
        raise UserError(f"{target} holds recordings that were fetched: rename {folder}")
    wanted, left_out = _sorted_out(folder)
    if not wanted:
        why = f" ({left_out[0]})" if left_out else ""
        raise UserError(f"{folder} holds no recording named by its pitch, such as C4.wav{why}")
    new = [path for path in wanted if not (target / path.relative_to(folder)).exists()]
    known = [path for path in wanted if path not in set(new)]
    changed = [path for path in known if not _same(path, target / path.relative_to(folder))]
    left_out += [
        f"{path}: differs from {target / path.relative_to(folder)}: remove one of them"
        for path in changed
    ]
    kept = _not_in(folder, target)
    _copy(folder, new, target)
    return ImportedFolder(target, len(new), len(known) - len(changed), left_out, kept)


def _not_in(folder: Path, target: Path) -> list[str]:
    """A line on recordings of an earlier fetch that were renamed or deleted since."""
    there = sorted(p.relative_to(target) for p in target.rglob("*") if is_recording(p, target))
    lost = [str(path) for path in there if not (folder / path).is_file()]
    if not lost:
        return []
    return [f"{_listed(lost)}: not in {folder} (any more); delete what is not meant from {target}"]


def _refuse_inside(folder: Path, data_dir: Path) -> None:
    if folder.is_relative_to(data_dir):
        raise UserError(f"{folder} lies in {data_dir} already: run 'notedecay pin' to accept it")
    if data_dir.is_relative_to(folder):
        raise UserError(f"{folder} holds {data_dir} itself: name the folder of the recordings")


def check_instrument(name: str) -> None:
    """Raise for a name that ``params.yaml`` does not accept for an instrument.

    Raises
    ------
    UserError
        With a name that is possible.
    """
    if re.fullmatch(INSTRUMENT_NAME, name):
        return
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if char.isascii())
    hint = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:60].rstrip("-") or "banjo"
    raise UserError(
        f"'{name}' cannot name an instrument: use up to 60 letters A to Z, digits, - and _, "
        f"not beginning with -, such as '{hint}'"
    )


def _target_name(folder: Path) -> str:
    name = folder.resolve().name
    refuse_unusable([Path(name)])
    if not name or name.startswith("."):
        raise UserError(f"{folder} needs a name that does not begin with a dot: rename it")
    return name


def _sorted_out(folder: Path) -> tuple[list[Path], list[str]]:
    """Usable recordings, and a line for each other recording and for each other kind of file."""
    wanted: list[Path] = []
    left_out: list[str] = []
    other_kinds: list[str] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or is_hidden(path.relative_to(folder)):
            continue
        if not is_recording(path, folder):
            other_kinds.append(ascii(path.name)[1:-1] if unusable_name(path) else path.name)
        elif reason := _unusable(path, folder):
            left_out.append(reason)
        else:
            wanted.append(path)
    return wanted, left_out + _other_kinds(other_kinds)


def _other_kinds(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"{count(len(names), 'file')} of other kinds than recordings: {_listed(names)}"]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _unusable(path: Path, folder: Path) -> str | None:
    """Reason for which the stage ``prepare`` would refuse a recording, None for a usable one."""
    if reason := unusable_name(path.relative_to(folder)):
        return reason
    try:
        recording = audio.read(path)
        named = read_name(path, HIGHPASS_HZ)
        if isinstance(named, str):
            return f"{path}: {named}"
        _check_run(recording, named)
    except UserError as error:
        line = str(error)
        return line if str(path) in line else f"{path}: {line}"
    return None


def _check_run(recording: audio.Recording, named: Named) -> None:
    """Find the notes that the name of a chromatic run promises."""
    if len(named.pitches) > 1:
        samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=HIGHPASS_HZ)
        chromatic_runs.cut(samples, recording.rate, named.pitches)


def _same(left: Path, right: Path) -> bool:
    return filecmp.cmp(left, right, shallow=False)


def _copy(folder: Path, files: Sequence[Path], target: Path) -> None:
    """Make the target at once where there is none, else add file by file."""
    if target.exists():
        for path in files:
            with replacing(target / path.relative_to(folder)) as partial:
                shutil.copyfile(path, partial)
        return
    with replacing_folder(target) as partial:
        for path in files:
            copy = partial / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
