"""Measurements of a note, and the reasons to set one aside."""

from __future__ import annotations

from dataclasses import dataclass

from notedecay.audio import (
    CANCELLING_DB,
    Recording,
    channels_cancel,
    from_onset,
    is_clipped,
    is_silent,
    mono_loss_db,
)
from notedecay.audio.samples import Samples
from notedecay.data import pitch as pitches
from notedecay.data.decay import fall_time, levels, stopped_at
from notedecay.data.tuning import Tuning, tune

MISTUNED_CENTS = 60.0
"""Real pianos are stretched by up to 55 cents at the top; further off, the name is wrong."""
MIN_SECONDS = 0.83
"""Shortest usable note (s): the paper's prime of 0.33 s and half a second to continue."""
FOREIGN_MATCH = 0.2
"""Of a rightly named note at least 0.25 of the energy lies on its partials, mostly 0.9."""
OCTAVE_ODD = 0.005
"""A note an octave above its name has next to nothing on the odd partials of that name;
the least of a rightly named one is 0.014 (an open C string, whose octave rings)."""
OCTAVE_MIDWAY, MIDWAY_SHARE = 0.03, 0.25
"""A note an octave below its name has this share of its energy, and this share of all that lies
off its partials, halfway between them. Of 308 rightly named notes (piano, guitars, cello, flute)
one flute note has that too; of 307 named an octave too high none lacks it."""
MIN_LINKED = 0.01
"""Of 307 rightly named notes that open C string has 0.04, all others 0.77 and more; of 254 named a
twelfth too low that would pass otherwise, 231 have less."""
ABOVE, BELOW = "an octave above", "an octave below"


@dataclass(frozen=True)
class Figures:
    """Measurements of one note; the attributes are those of :class:`~notedecay.data.note.Note`."""

    f0_hz: float | None
    cents: float | None
    peak_dbfs: float
    t40: float | None
    t60: float | None
    flags: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def measure(raw: Recording, samples: Samples, pitch: int) -> Figures:
    """Measure a note and collect the reasons to set it aside.

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
    loss_db = mono_loss_db(raw)
    if is_silent(raw) or channels_cancel(raw, loss_db):
        why = "silent" if is_silent(raw) else "silent when mixed to mono (its channels cancel)"
        return Figures(None, None, max(raw.peak_dbfs, -200.0), None, None, (why,))
    note = from_onset(samples, raw.rate)
    tuning = tune(note, raw.rate, pitch)
    known = _other_note(tuning, pitch) is None
    level = levels(note, raw.rate)
    flags = [
        _short(len(note) / raw.rate),
        "clipped" if is_clipped(raw) else None,
        off_pitch(tuning, pitch),
        _stopped(stopped_at(note, raw.rate, tuning.f0_hz)),
    ]
    return Figures(
        f0_hz=round(tuning.f0_hz, 3) if known else None,
        cents=tuning.cents if known else None,
        peak_dbfs=round(raw.peak_dbfs, 2),
        t40=fall_time(level, 40),
        t60=fall_time(level, 60),
        flags=tuple(flag for flag in flags if flag),
        warnings=_cancelling(loss_db),
    )


def _cancelling(loss_db: float) -> tuple[str, ...]:
    if loss_db < CANCELLING_DB:
        return ()
    return (f"channels cancel in part, {loss_db:.0f} dB are lost by mixing them to mono",)


def _short(seconds: float) -> str | None:
    if seconds >= MIN_SECONDS:
        return None
    return f"too short ({seconds:.2f} s after the onset, {MIN_SECONDS:.2f} s needed)"


def off_pitch(tuning: Tuning, pitch: int) -> str | None:
    """Describe how a note differs from its name.

    Parameters
    ----------
    tuning : Tuning
        Measured at the named pitch.
    pitch : int
        MIDI number of the name.

    Returns
    -------
    str or None
        None where the sound is that of the name.
    """
    if other := _other_note(tuning, pitch):
        return other
    if abs(tuning.cents) > MISTUNED_CENTS:
        return f"mistuned ({tuning.cents:+.0f} cents from {pitches.name(pitch)})"
    return None


def _other_note(tuning: Tuning, pitch: int) -> str | None:
    """Reason why the sound is not the named note; None where it is."""
    name = pitches.name(pitch)
    if _sounds_lower(tuning):
        return f"mistuned ({BELOW} {name})"
    if tuning.match < FOREIGN_MATCH:
        return f"mistuned (its partials are not those of {name})"
    if tuning.odd < OCTAVE_ODD:
        return f"mistuned ({ABOVE} {name})"
    if tuning.linked < MIN_LINKED:
        return f"mistuned (its partials are only some of those of {name})"
    return None


def _sounds_lower(tuning: Tuning) -> bool:
    off_partials = 1 - tuning.match
    return tuning.midway >= max(OCTAVE_MIDWAY, MIDWAY_SHARE * off_partials)


def _stopped(seconds: float | None) -> str | None:
    return None if seconds is None else f"hand-damped or released at {seconds:.2f} s"
