"""Parser of recordings' names: pitch or range, dynamic, string, way of playing, layer, take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from notedecay.core.errors import UserError
from notedecay.data import pitch

_DYNAMICS = frozenset({"ppp", "pp", "p", "mp", "mf", "f", "ff", "fff"})
_PLAYING = frozenset({"pizz", "arco", "vib", "nonvib"})
_MARKS = {
    # Iowa names the low and the high E string of a guitar sulE and sul_E.
    "string": re.compile(r"(?<![A-Za-z])sul_?[A-G](?![A-Za-z])"),
    # A letter and its number are one word, also right behind a pitch (A0v1) or a MIDI number.
    "velocity": re.compile(
        r"(?<![A-Za-z])(?:v|(?:velocity|vel|layer)[ _-]?)\d{1,3}(?![A-Za-z0-9])", re.IGNORECASE
    ),
    "repetition": re.compile(
        r"(?<![A-Za-z])(?:t|(?:take|rep|rr)[ _-]?)\d{1,3}(?![A-Za-z0-9])", re.IGNORECASE
    ),
}
_SPELT = re.compile(r"(?<![A-Za-z])([A-Ga-g])[ _-]?(sharp|flat)[ _-]?(?=[0-9])", re.IGNORECASE)
_PITCH = r"[A-Ga-g][#sb]?[0-9]"
_ONE = re.compile(_PITCH)
_RANGE = re.compile(f"({_PITCH})({_PITCH})")
# A dynamic or a channel may follow a pitch without a mark: C4ff, C3L.
_WITH_DYNAMIC = re.compile(rf"({_PITCH})((?:ppp|pp|mp|mf|fff|ff|p|f)\d?|[LR])")
_GLUED = re.compile(r"([^\W\d_]*[^\W\dA-Z_])([A-G][#b]?[0-9])")
_NUMBER = re.compile(r"(?:midi|note|key)?(\d{2,3})", re.IGNORECASE)
_NSYNTH = re.compile(r"(?:^|_)\d{3}-(\d{3})-(\d{3})$")
"""Instrument, pitch and velocity as the NSynth data set names them (Engel et al. 2017)."""
_LOWEST_NUMBER = 12
"""C0: a smaller number in a name counts takes."""


@dataclass(frozen=True)
class Named:
    """Parts of a recording's file name.

    Attributes
    ----------
    pitches : tuple of int
        MIDI numbers; more than one for a chromatic run.
    dynamic, string, playing : str or None
        ``ff``, ``sulG``, ``pizz``.
    velocity, repetition : str or None
        ``v12``; ``rr2``, ``take2``: what sample libraries call one of several takes of a note.
    rest : tuple of str
        All other words, in order; they distinguish takes that are alike otherwise.
    """

    pitches: tuple[int, ...]
    dynamic: str | None = None
    string: str | None = None
    playing: str | None = None
    velocity: str | None = None
    repetition: str | None = None
    rest: tuple[str, ...] = field(default=(), compare=False)

    @property
    def take(self) -> str | None:
        """All but pitch and rest as one word, None where the name holds no more."""
        words = (self.playing, self.dynamic, self.string, self.velocity, self.repetition)
        return "-".join(filter(None, words)) or None


def parse(stem: str) -> Named | None:
    """Parse a file name that has only one possible pitch.

    Parameters
    ----------
    stem : str
        Without folder and suffix; see :func:`readings`.

    Returns
    -------
    Named or None
        None where the name holds no pitch, or several.

    Examples
    --------
    >>> named = parse("Piano.ff.C4")
    >>> named.pitches, named.dynamic, named.rest
    ((60,), 'ff', ('Piano',))
    >>> parse("Guitar.ff.sulG.C5Db5").pitches
    (72, 73)
    >>> parse("C4v12 take 2").take
    'v12-take2'
    >>> parse("C4 or D4") is None
    True
    """
    found = readings(stem)
    return found[0] if len(found) == 1 else None


def readings(stem: str) -> list[Named]:
    """Parse a file name in every possible way.

    A pitch is a word such as ``C4``, ``Bb3``, ``F#3``, ``Cs4`` or ``F-sharp-3``, perhaps with a
    dynamic or channel behind it (``C4ff``, ``C3L``), or a range of semitones (``C5Db5``). Where
    there is none, a pitch at the end of a word counts (``HarpA4``), and where there is none either,
    a MIDI number (``060``, ``guitar_010-060-075``). A velocity layer (``v12``, ``vel 100``) and a
    repetition (``rr2``, ``take 2``) may stand anywhere, also right behind the pitch.

    Parameters
    ----------
    stem : str
        Without folder and suffix: ``Piano.ff.C4``, ``Guitar.ff.sulG.C5Db5``, ``D#4v12``.

    Returns
    -------
    list of Named
        One entry for each different pitch or range, in the order of the name; empty where
        there is none.

    Examples
    --------
    >>> [named.pitches for named in readings("C4 or D4")]
    [(60,), (62,)]
    >>> [named.pitches for named in readings("guitar_010-060-075")]
    [(60,)]
    """
    text = unicodedata.normalize("NFKC", stem).replace("♯", "#").replace("♭", "b")
    text = _SPELT.sub(lambda m: m[1] + ("#" if m[2].lower() == "sharp" else "b"), text)
    marks, text = _marks(text)
    words = [word for word in re.split(r"[^\w#]+|_", text) if word]
    for read in (_whole_word, _end_of_word, _nsynth(text), _midi_number):
        found = [
            (i, pitches_of_word) for i, word in enumerate(words) if (pitches_of_word := read(word))
        ]
        if found:
            return _distinct([_named(words, i, of_word, marks) for i, of_word in found])
    return []


Marks = Mapping[str, str]
"""String, velocity layer and repetition, where a name has them."""


def _marks(text: str) -> tuple[Marks, str]:
    """Parts of a name that may consist of several words, and the name without them."""
    marks = {}
    for kind, pattern in _MARKS.items():
        if found := pattern.search(text):
            marks[kind] = found[0] if kind == "string" else _joined(found[0])
            text = f"{text[: found.start()]} {text[found.end() :]}"
    return marks, text


def _joined(mark: str) -> str:
    """``take2`` for ``Take 2``."""
    return re.sub(r"[ _-]", "", mark).lower()


WordPitches = tuple[tuple[int, ...], str]
"""Pitches that a word names, and what is left of the word."""


def _named(words: list[str], index: int, pitches_of_word: WordPitches, marks: Marks) -> Named:
    pitches, left = pitches_of_word
    others = [*words[:index], *filter(None, [left]), *words[index + 1 :]]
    dynamic = next((word for word in others if word in _DYNAMICS), None)
    playing = next((word for word in others if word in _PLAYING), None)
    rest = tuple(word for word in others if word not in (dynamic, playing))
    return Named(pitches, dynamic, playing=playing, rest=rest, **marks)


def _distinct(found: list[Named]) -> list[Named]:
    """The first reading of each pitch or range."""
    return list({named.pitches: named for named in reversed(found)}.values())[::-1]


def _whole_word(word: str) -> WordPitches | None:
    """``C4``, ``C5Db5`` (rising) or ``C4ff``."""
    try:
        if _ONE.fullmatch(word):
            return (pitch.parse(word),), ""
        if marked := _WITH_DYNAMIC.fullmatch(word):
            return (pitch.parse(marked[1]),), marked[2]
        if run := _RANGE.fullmatch(word):
            low, high = pitch.parse(run[1]), pitch.parse(run[2])
            return (tuple(range(low, high + 1)), "") if low < high else None
    except UserError:  # a note letter and octave that no MIDI number names
        return None
    return None


def _end_of_word(word: str) -> WordPitches | None:
    """``HarpA4``: a capital after a small letter begins the pitch."""
    found = _GLUED.fullmatch(word)
    pitches_of_word = _whole_word(found[2]) if found else None
    return (pitches_of_word[0], found[1]) if found and pitches_of_word else None


def _nsynth(text: str) -> Callable[[str], WordPitches | None]:
    """A reader of the one word that is the pitch in a name of the NSynth data set."""
    found = _NSYNTH.search(text)

    def read(word: str) -> WordPitches | None:
        return _midi_number(word) if found and word == found[1] else None

    return read


def _midi_number(word: str) -> WordPitches | None:
    """``060``, ``60`` or ``midi60``."""
    found = _NUMBER.fullmatch(word)
    if not found or not found[1].isascii():
        return None
    midi = int(found[1])
    return ((midi,), "") if _LOWEST_NUMBER <= midi <= pitch.HIGHEST else None
