"""What can be measured of a note, and why one is set aside."""

from __future__ import annotations

from dataclasses import dataclass

from notedecay.audio import Recording, from_onset, is_clipped, is_silent
from notedecay.notes import pitch as pitches
from notedecay.notes.decay import fall_time, levels, stopped_at
from notedecay.notes.note import Samples
from notedecay.notes.tuning import tune

MISTUNED_CENTS = 60.0
"""Real pianos are stretched by up to 55 cents at the top; further off, the name is wrong."""
SHORTEST_SECONDS = 0.83
"""The paper's prime of 0.33 s and half a second to be continued."""
FOREIGN_MATCH = 0.2
"""Of a rightly named note at least 0.25 of the energy lies on its partials, mostly 0.9."""
OCTAVE_ODD = 0.005
"""A note an octave above its name has next to nothing on the odd partials of that name;
the least of a rightly named one is 0.014 (an open C string, whose octave rings)."""


@dataclass(frozen=True)
class Figures:
    """Measured of one note; the attributes are those of :class:`~notedecay.notes.note.Note`."""

    f0_hz: float | None
    cents: float | None
    peak_dbfs: float
    t40: float | None
    t60: float | None
    flags: tuple[str, ...]


def measure(raw: Recording, samples: Samples, pitch: int) -> Figures:
    """Measure a note and find what speaks against it.

    Parameters
    ----------
    raw : Recording
        The note as the file holds it.
    samples : ndarray of float32, shape (samples,)
        The same, mono and high-passed, at the same rate.
    pitch : int
        MIDI number that its name promises.

    Returns
    -------
    Figures
        Natural decay is that of the high-passed note, in seconds from its peak.
    """
    if is_silent(raw):
        return Figures(None, None, max(raw.peak_dbfs, -200.0), None, None, ("silent",))
    note = from_onset(samples, raw.rate)
    tuning = tune(note, raw.rate, pitch)
    known = tuning.match >= FOREIGN_MATCH and tuning.odd >= OCTAVE_ODD
    level = levels(note, raw.rate)
    flags = [
        _short(len(note) / raw.rate),
        "clipped" if is_clipped(raw) else None,
        _off_pitch(tuning.cents, tuning.match, tuning.odd, pitch),
        _stopped(stopped_at(note, raw.rate, tuning.f0_hz)),
    ]
    return Figures(
        f0_hz=round(tuning.f0_hz, 3) if known else None,
        cents=tuning.cents if known else None,
        peak_dbfs=round(raw.peak_dbfs, 2),
        t40=fall_time(level, 40),
        t60=fall_time(level, 60),
        flags=tuple(flag for flag in flags if flag),
    )


def _short(seconds: float) -> str | None:
    if seconds >= SHORTEST_SECONDS:
        return None
    return f"too short ({seconds:.2f} s after the onset, {SHORTEST_SECONDS:.2f} s needed)"


def _off_pitch(cents: float, match: float, odd: float, pitch: int) -> str | None:
    name = pitches.name(pitch)
    if match < FOREIGN_MATCH:
        return f"mistuned (its partials are not those of {name})"
    if odd < OCTAVE_ODD:
        return f"mistuned (an octave above {name})"
    if abs(cents) > MISTUNED_CENTS:
        return f"mistuned ({cents:+.0f} cents from {name})"
    return None


def _stopped(seconds: float | None) -> str | None:
    return None if seconds is None else f"hand-damped or released at {seconds:.2f} s"
