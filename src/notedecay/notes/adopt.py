"""A folder of the user's own recordings, taken into the data folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from notedecay import audio
from notedecay.errors import UserError
from notedecay.files import replacing_folder
from notedecay.notes import names


def adopt(folder: Path, instrument: str, data_dir: Path) -> list[str]:
    """Copy a folder's recordings to ``data/<instrument>/<folder's name>``.

    Parameters
    ----------
    folder : Path
        Holds WAV, FLAC, AIFF, OGG or MP3 files, in folders or not; named by pitch, such as
        ``C4.wav`` or ``my_guitar_C4_ff.wav``.
    instrument : str
        What they are recordings of.
    data_dir : Path
        The data folder.

    Returns
    -------
    list of str
        What was left out, and why: one line for each file.

    Raises
    ------
    UserError
        No such folder, nothing in it that can be used, or it was taken in already.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not instrument.replace("-", "").replace("_", "").isalnum():
        raise UserError(f"'{instrument}' cannot name an instrument: use letters, digits, - and _")
    target = data_dir / instrument / folder.resolve().name
    if target.exists():
        raise UserError(f"{target} is there already: remove it first, or rename the folder")
    wanted, left_out = _sorted_out(folder)
    if not wanted:
        raise UserError(f"{folder} holds no recording named by its pitch, such as C4.wav")
    with replacing_folder(target) as partial:
        for path in wanted:
            copy = partial / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return left_out


def _sorted_out(folder: Path) -> tuple[list[Path], list[str]]:
    """Usable recordings, and a line for each other file."""
    wanted, left_out = [], []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] != "."):
        reason = _unusable(path)
        if reason:
            left_out.append(reason)
        else:
            wanted.append(path)
    return wanted, left_out


def _unusable(path: Path) -> str | None:
    if path.suffix.lower() not in audio.SUFFIXES:
        return f"{path}: not a WAV, FLAC, AIFF, OGG or MP3 file"
    if names.parse(path.stem) is None:
        return f"{path}: no pitch in its name (name it like C4_ff.wav)"
    try:
        audio.read(path)
    except UserError as error:
        return str(error)
    return None
