"""Recordings of known pitch, and a small data folder of them."""

from __future__ import annotations

from pathlib import Path

from notedecay import audio
from notedecay.data import pitch
from notedecay.data.sources import records
from notedecay.data.sources.records import SourceRecord
from tests.synthetic import damped

RATE = 11_025


def put(path: Path, midi: int, *, cents: float = 0.0, seconds: float = 1.5) -> Path:
    """Write a recording of one clean note."""
    f0 = pitch.hz(midi + cents / 100)
    path.parent.mkdir(parents=True, exist_ok=True)
    note = damped([f0, 2 * f0, 3 * f0], [1.6, 1.2, 0.9], [1, 0.5, 0.3], seconds=seconds, rate=RATE)
    audio.write(path, note, RATE)
    return path


def make_data_dir(folder: Path) -> Path:
    """Two takes of twelve guitar notes, of which one is mistuned and one has no pitch."""
    for midi in range(48, 60):
        put(folder / "guitar" / "steel" / f"{pitch.name(midi)}.wav", midi)
        cents = 90 if midi == 50 else 0
        put(folder / "guitar" / "mine" / f"my_{pitch.name(midi)}_ff.wav", midi, cents=cents)
    put(folder / "guitar" / "mine" / "noodling.wav", 60)
    records.write(
        SourceRecord("somewhere", "1.0", "CC BY 3.0", "someone"), folder / "guitar" / "steel"
    )
    return folder
