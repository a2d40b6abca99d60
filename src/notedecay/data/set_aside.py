"""Summary of the reasons for which notes of a catalogue are set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from notedecay.data.measure import ABOVE, BELOW
from notedecay.data.note import Note

MIN_NOTES = 3
"""Least number of notes in the wrong octave for a hint about their folder."""


def reasons(notes: Sequence[Note]) -> str:
    """Count the reasons, the most frequent first: ``13 mistuned, 1 clipped``."""
    counts = Counter(_kind(flag) for note in notes for flag in note.flags)
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


def wrong_octaves(notes: Sequence[Note]) -> list[str]:
    """Hints for folders most of whose notes are named in the same wrong octave.

    Parameters
    ----------
    notes : sequence of Note
        A catalogue, or several.

    Returns
    -------
    list of str
        A line for each such folder.
    """
    folders: dict[str, list[Note]] = {}
    for note in notes:
        if note.pitch_name != "?":
            folders.setdefault("/".join(note.file.split("/")[:2]), []).append(note)
    lines = [_line(folder, some) for folder, some in sorted(folders.items())]
    return [line for line in lines if line]


def _line(folder: str, notes: Sequence[Note]) -> str | None:
    for octave, step in ((ABOVE, 1), (BELOW, -1)):
        off = [note for note in notes if any(octave in flag for flag in note.flags)]
        if len(off) >= max(MIN_NOTES, len(notes) / 2):
            name = off[0].pitch_name
            right = f"{name[:-1]}{int(name[-1]) + step}"
            return (
                f"{folder}: {len(off)} of {len(notes)} notes sound {octave} their names: "
                f"rename them where they come from ({name} to {right} and so on), "
                f"delete data/{folder}, and fetch them again"
            )
    return None


def _kind(flag: str) -> str:
    """A reason without its figures."""
    return flag.split(" (")[0].split(" at ")[0]
