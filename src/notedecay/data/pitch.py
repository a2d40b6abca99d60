"""Names, MIDI numbers and frequencies of pitches (equal temperament, A4 = 440 Hz).

librosa has these conversions too, but its import costs 0.6 s of CPU in every command, and it
takes octaves beyond MIDI and names without one.
"""

from __future__ import annotations

import re

from notedecay.core.errors import UserError

LOWEST, HIGHEST = 0, 127
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "s": 1, "b": -1}
_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_PITCH = re.compile(r"([A-Ga-g])([#sb]?)(-?[0-9])")


def parse(text: str) -> int:
    """Read a pitch such as ``C4``, ``Bb3``, ``F#3`` or ``Cs4`` (s for sharp).

    Parameters
    ----------
    text : str
        Letter in either case, sign, octave; C4 is middle C.

    Returns
    -------
    int
        MIDI number, 0..127.

    Raises
    ------
    UserError
        This is no pitch, or it lies outside MIDI's range.

    Examples
    --------
    >>> parse("C4"), parse("Bb3"), parse("F#3"), parse("Cs4")
    (60, 58, 54, 61)
    """
    found = _PITCH.fullmatch(text.strip())
    midi = _number(*found.groups()) if found else -1
    if not LOWEST <= midi <= HIGHEST:
        raise UserError(f"'{text}' is no pitch: write C4, Bb3 or F#3, between C-1 and G9")
    return midi


def name(midi: int) -> str:
    """Name a MIDI number with flats: 60 is ``C4``, 58 is ``Bb3``.

    Examples
    --------
    >>> name(60), name(58), name(21)
    ('C4', 'Bb3', 'A0')
    """
    octave, step = divmod(midi, 12)
    return f"{_NAMES[step]}{octave - 1}"


def hz(midi: float) -> float:
    """Frequency of a MIDI number (69 is 440 Hz); fractions lie between the keys.

    Examples
    --------
    >>> hz(69), round(hz(60), 2), round(hz(69.5), 1)
    (440.0, 261.63, 452.9)
    """
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _number(letter: str, sign: str, octave: str) -> int:
    return 12 * (int(octave) + 1) + _STEPS[letter.upper()] + _SIGNS[sign]
