"""Data classes: a note of the catalogue, and a clip for a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from notedecay.audio.samples import Samples


@dataclass(frozen=True)
class Note:
    """One recording of one pitch, as the catalogue lists it.

    Attributes
    ----------
    id : str
        Stable name ``<instrument>/<take>/<pitch>``, such as ``piano/ff/C4``.
    instrument, pitch_name : str
        ``piano``, ``C4`` (flats as in Bb3).
    pitch : int
        MIDI number, middle C (C4) is 60.
    dynamic, string : str or None
        ``pp``, ``mf``, ``ff`` and ``sulG``, where the file name says so.
    file : str
        Path below the data folder.
    start, seconds : float
        Where the note lies in the file (s): chromatic runs hold several.
    rate, channels : int
        Of the file (Hz, count).
    source, licence : str
        Origin and terms of use.
    md5 : str
        Checksum of the file, as ``data.md5`` lists it.
    f0_hz, cents : float or None
        Measured fundamental (Hz) and its distance from the named pitch (cents).
    peak_dbfs : float
        Largest sample (dB re full scale).
    t40, t60 : float or None
        Natural decay: seconds from the peak until the level is 40 or 60 dB down for good,
        None where the recording ends earlier.
    flags : tuple of str
        Reasons to set the note aside; empty for a good note.
    warnings : tuple of str
        Irregularities of the recording that are no reason to set it aside.
    """

    id: str
    instrument: str
    pitch: int
    pitch_name: str
    dynamic: str | None
    string: str | None
    file: str
    start: float
    seconds: float
    rate: int
    channels: int
    source: str
    licence: str
    md5: str = ""
    f0_hz: float | None = None
    cents: float | None = None
    peak_dbfs: float = 0.0
    t40: float | None = None
    t60: float | None = None
    flags: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    @property
    def take(self) -> str:
        """Which recording of the pitch it is: ``ff``, ``v001``, or the folder's name."""
        return self.id.split("/")[1]


@dataclass(frozen=True)
class Clip:
    """Samples of a note: mono, resampled, high-passed, from its onset on.

    Attributes
    ----------
    id : str
        The note's id.
    pitch : int
        MIDI number.
    samples : ndarray of float32, shape (samples,)
        From the onset to the end of the note (or the configured length).
    rate : int
        Hz.
    """

    id: str
    pitch: int
    samples: Samples
    rate: int
