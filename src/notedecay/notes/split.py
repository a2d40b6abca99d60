"""Which notes are learned from, which steer the search, which are kept for the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from notedecay.errors import UserError
from notedecay.files import replacing
from notedecay.notes.note import Note
from notedecay.notes.set_aside import reasons, wrong_octaves

PARTS = ("train", "validation", "test")
FEWEST_TRAIN = 3
"""Pitches; with fewer there is nothing to learn between."""

Split = dict[str, list[str]]
"""Note ids of each part."""


def split(notes: Sequence[Note], *, validation: float, test: float, seed: int) -> Split:
    """Split notes by pitch: all takes of a held-out pitch are held out with it.

    The range between the lowest and the highest pitch, which are always learned from, is
    cut into as many stretches of neighbouring pitches as pitches are to be held out, and one
    of each stretch is drawn: a held-out pitch always lies between learned ones.

    Parameters
    ----------
    notes : sequence of Note
        The catalogue; flagged notes are left out.
    validation, test : float
        Share of the pitches, above 0, at least one pitch each.
    seed : int
        The same notes and seed give the same split.

    Returns
    -------
    dict of str to list of str
        Note ids under ``train``, ``validation`` and ``test``, in the catalogue's order.

    Raises
    ------
    UserError
        Too few pitches for that.
    """
    good = [note for note in notes if not note.flags]
    pitches = sorted({note.pitch for note in good})
    counts = {
        "validation": max(1, round(validation * len(pitches))),
        "test": max(1, round(test * len(pitches))),
    }
    held = sum(counts.values())
    if len(pitches) < held + FEWEST_TRAIN or 2 * held > len(pitches) - 2:
        raise UserError(
            f"{len(pitches)} pitches are too few to learn from when {held} are held out"
            f"{_why(notes)}: add recordings or lower the shares of validation and test"
        )
    stretches = np.array_split(np.array(pitches[1:-1]), held)
    generator = np.random.default_rng(seed)
    part_of = {
        int(generator.choice(stretch)): part
        for part, stretch in zip(_spread(counts), stretches, strict=True)
    }
    return {
        part: [note.id for note in good if part_of.get(note.pitch, "train") == part]
        for part in PARTS
    }


def audit(parts: Split, notes: Sequence[Note]) -> None:
    """Check a split against the catalogue.

    Raises
    ------
    UserError
        A pitch in two parts, an id that is flagged, unknown or there twice, an empty part,
        or a good note in no part.
    """
    known = {note.id: note for note in notes}
    ids = [id_ for part in PARTS for id_ in parts.get(part, [])]
    good = {note.id for note in notes if not note.flags}
    for id_, times in Counter(ids).items():
        if id_ not in good:
            raise UserError(f"the split holds {id_}, which is flagged or unknown: split again")
        if times > 1:
            raise UserError(f"the split holds {id_} twice: split again")
    if missing := good.difference(ids):
        raise UserError(f"the split lacks {min(missing)}: split again")
    home: dict[int, str] = {}
    for part in PARTS:
        if not parts.get(part):
            raise UserError(f"the split's part '{part}' is empty: split again")
        for note in (known[id_] for id_ in parts[part]):
            if home.setdefault(note.pitch, part) != part:
                raise UserError(
                    f"{note.pitch_name} is both in {home[note.pitch]} and in {part}: split again"
                )


def write(parts: Split, path: Path) -> None:
    """Write a split as JSON, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Split:
    """Read a split.

    Raises
    ------
    UserError
        No such file, or not a split.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {part: [str(id_) for id_ in held[part]] for part in PARTS}
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such split: run the prepare stage first") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not a split: run the prepare stage again") from error


def _why(notes: Sequence[Note]) -> str:
    """How many notes are not counted, and why, where there are any."""
    aside = sum(bool(note.flags) for note in notes)
    if not aside:
        return ""
    lines = [
        f"{aside} of {len(notes)} notes are set aside: {reasons(notes)}",
        *wrong_octaves(notes),
    ]
    return f" ({'; '.join(lines)})"


def _spread(counts: dict[str, int]) -> list[str]:
    """Names, each as often as told, spread as evenly as can be."""
    places = [((i + 0.5) / n, part) for part, n in counts.items() for i in range(n)]
    return [part for _, part in sorted(places)]
