"""What the name of a recording says: pitch or range, dynamic, string, way of playing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from notedecay.errors import UserError
from notedecay.notes import pitch

_DYNAMICS = frozenset({"ppp", "pp", "p", "mp", "mf", "f", "ff", "fff"})
_PLAYING = frozenset({"pizz", "arco", "vib", "nonvib"})
# Iowa names the low and the high E string of a guitar sulE and sul_E.
_STRING = re.compile(r"(?<![A-Za-z])sul_?[A-G](?![A-Za-z])")
_PITCH = r"[A-Ga-g][#sb]?[0-9]"
_ONE = re.compile(_PITCH)
_RANGE = re.compile(f"({_PITCH})({_PITCH})")


@dataclass(frozen=True)
class Named:
    """What a file name says.

    Attributes
    ----------
    pitches : tuple of int
        MIDI numbers; more than one for a chromatic run.
    dynamic, string, playing : str or None
        ``ff``, ``sulG``, ``pizz``.
    """

    pitches: tuple[int, ...]
    dynamic: str | None = None
    string: str | None = None
    playing: str | None = None

    @property
    def take(self) -> str | None:
        """Playing, dynamic and string as one word, None where the name says none of them."""
        return "-".join(filter(None, (self.playing, self.dynamic, self.string))) or None


def parse(stem: str) -> Named | None:
    """Read a file's name.

    Parameters
    ----------
    stem : str
        Without folder and suffix: ``Piano.ff.C4``, ``Guitar.ff.sulG.C5Db5`` (a run from
        C5 to Db5), ``Cello.pizz.ff.sulC.C2.stereo``, ``my_guitar_C4_ff``, ``Cs4``.

    Returns
    -------
    Named or None
        None where the name holds no pitch, or more than one.
    """
    string = _STRING.search(stem)
    words = [word for word in re.split(r"[._\s-]+", _STRING.sub(" ", stem)) if word]
    found = [pitches for word in words if (pitches := _pitches(word))]
    if len(found) != 1:
        return None
    return Named(
        pitches=found[0],
        dynamic=next((word for word in words if word in _DYNAMICS), None),
        string=string[0] if string else None,
        playing=next((word for word in words if word in _PLAYING), None),
    )


def _pitches(word: str) -> tuple[int, ...]:
    """Pitches of ``C4`` or of the rising range ``C5Db5``, none for any other word."""
    try:
        if _ONE.fullmatch(word):
            return (pitch.parse(word),)
        if run := _RANGE.fullmatch(word):
            low, high = pitch.parse(run[1]), pitch.parse(run[2])
            return tuple(range(low, high + 1)) if low < high else ()
    except UserError:  # a note letter and octave that no MIDI number names
        return ()
    return ()
