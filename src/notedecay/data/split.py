"""Split of notes into training, validation and test notes, by pitch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip, Note
from notedecay.data.pitch import name
from notedecay.data.set_aside import reasons, wrong_octaves

PARTS = ("train", "validation", "test")
MIN_TRAIN_PITCHES = 3
"""Least number of pitches for training."""

Split = dict[str, list[str]]
"""Note ids of each part."""


def split(notes: Sequence[Note], *, validation: float, test: float, seed: int) -> Split:
    """Split notes by pitch: all takes of a held-out pitch are held out with it.

    The lowest and the highest pitch are always training notes. The range between them is divided
    into as many stretches of neighbouring pitches as pitches are held out, and one pitch of each
    stretch is drawn at random: a held-out pitch always lies between training pitches.

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
    good = {note.id: note.pitch for note in notes if not note.flags}
    return divide(good, validation=validation, test=test, seed=seed, others=_set_aside(notes))


def divide(
    good: Mapping[str, int], *, validation: float, test: float, seed: int, others: str = ""
) -> Split:
    """Split notes as :func:`split` does, given as the pitches of the good ones by id.

    ``others`` describes the notes set aside, for the message where too few are left.

    Examples
    --------
    Three of twenty pitches each are held out, and neither the lowest nor the highest:

    >>> good = {f"bells/ff/{pitch}": pitch for pitch in range(60, 80)}
    >>> parts = divide(good, validation=0.15, test=0.15, seed=1)
    >>> {part: len(ids) for part, ids in parts.items()}
    {'train': 14, 'validation': 3, 'test': 3}
    >>> {"bells/ff/60", "bells/ff/79"} <= set(parts["train"])
    True
    """
    pitches = sorted(set(good.values()))
    counts = {
        "validation": max(1, round(validation * len(pitches))),
        "test": max(1, round(test * len(pitches))),
    }
    held = sum(counts.values())
    if len(pitches) < held + MIN_TRAIN_PITCHES or 2 * held > len(pitches) - 2:
        raise UserError(
            f"{len(pitches)} pitches are too few for training when {held} are held out"
            f"{others}: add recordings or lower the shares of validation and test"
        )
    stretches = np.array_split(np.array(pitches[1:-1]), held)
    generator = np.random.default_rng(seed)
    part_of = {
        int(generator.choice(stretch)): part
        for part, stretch in zip(_spread(counts), stretches, strict=True)
    }
    return {
        part: [id_ for id_, pitch in good.items() if part_of.get(pitch, "train") == part]
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
    if fault := _fault(parts, {note.id: note.pitch for note in notes if not note.flags}):
        raise UserError(f"{fault}: split again")


def check(
    parts: Split, clips: Sequence[Clip], *, validation: float, test: float, seed: int
) -> str | None:
    """Compare a split with the one that these clips, shares and seed give.

    The split is computed again, so that an edit by hand is noticed too.

    Parameters
    ----------
    parts : dict of str to list of str
        As :func:`read` gives it.
    clips : sequence of Clip
        All good notes, in the catalogue's order.
    validation, test, seed
        As :func:`split` took them.

    Returns
    -------
    str or None
        The difference as a clause, None where there is none.
    """
    pitches = {clip.id: clip.pitch for clip in clips}
    if fault := _fault(parts, pitches):
        return fault
    try:
        expected = divide(pitches, validation=validation, test=test, seed=seed)
    except UserError as error:
        return str(error)
    if parts != expected:
        return f"the split is not that of seed {seed}, validation {validation:g} and test {test:g}"
    return None


def _fault(parts: Split, good: Mapping[str, int]) -> str | None:
    """Fault of a split, None for a valid one; ``good`` maps ids of good notes to pitches."""
    ids = [id_ for part in PARTS for id_ in parts.get(part, [])]
    for id_, times in Counter(ids).items():
        if id_ not in good:
            return f"the split holds {id_}, which is flagged or unknown"
        if times > 1:
            return f"the split holds {id_} twice"
    if missing := good.keys() - set(ids):
        return f"the split lacks {min(missing)}"
    home: dict[int, str] = {}
    for part in PARTS:
        if not parts.get(part):
            return f"the split's part '{part}' is empty"
        for pitch in (good[id_] for id_ in parts[part]):
            if home.setdefault(pitch, part) != part:
                return f"{name(pitch)} is both in {home[pitch]} and in {part}"
    return None


def write(parts: Split, path: Path) -> None:
    """Write a split as JSON, atomically."""
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


def _set_aside(notes: Sequence[Note]) -> str:
    """Number of notes set aside and the reasons, empty where there are none."""
    aside = sum(bool(note.flags) for note in notes)
    if not aside:
        return ""
    lines = [
        f"{aside} of {len(notes)} notes are set aside: {reasons(notes)}",
        *wrong_octaves(notes),
    ]
    return f" ({'; '.join(lines)})"


def _spread(counts: dict[str, int]) -> list[str]:
    """Names of parts, each repeated by its count, spread evenly."""
    places = [((i + 0.5) / n, part) for part, n in counts.items() for i in range(n)]
    return [part for _, part in sorted(places)]
