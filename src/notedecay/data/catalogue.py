"""Catalogue of an instrument's notes: file, position, pitch, tuning, decay, flags."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from notedecay import audio
from notedecay.audio import Recording
from notedecay.audio.samples import Samples
from notedecay.core.digests import digest
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data import chromatic_runs, pitch
from notedecay.data.chromatic_runs import Cut
from notedecay.data.filenames import is_hidden, refuse_unusable
from notedecay.data.measure import measure
from notedecay.data.names import Named
from notedecay.data.note import Note
from notedecay.data.reading import read_name
from notedecay.data.sources import records
from notedecay.data.takes import note_ids

Progress = Callable[[int, int], None]
"""Progress callback: number of files done, and of all files."""


WORDS = ("flags", "warnings")
"""Attributes of a note that are tuples."""


def build(
    data_dir: Path, instrument: str, *, highpass_hz: float, progress: Progress | None = None
) -> list[Note]:
    """Measure all notes below ``data/<instrument>/<source>``.

    Parameters
    ----------
    data_dir : Path
        The data folder.
    instrument : str
        Name of a folder in it.
    highpass_hz : float
        Corner of the rumble filter (Hz) before anything is measured.
    progress : callable, optional
        Called after each file.

    Returns
    -------
    list of Note
        By take and pitch. Notes that are unfit are there too, with the reason in ``flags``.

    Raises
    ------
    UserError
        No recordings, or one that cannot be read.
    """
    files = recordings(data_dir, instrument)
    read = {path: read_name(path, highpass_hz) for path in files}
    parsed = {path: named if isinstance(named, Named) else None for path, named in read.items()}
    ids = note_ids({path.relative_to(data_dir): named for path, named in parsed.items()})
    notes: list[Note] = []
    for done, (path, named) in enumerate(read.items(), 1):
        own = ids[path.relative_to(data_dir)]
        notes.extend(_notes_in(data_dir, path, named, own, highpass_hz))
        if progress:
            progress(done, len(files))
    return sorted(notes, key=lambda note: (note.take, note.pitch, note.id))


def recordings(data_dir: Path, instrument: str) -> list[Path]:
    """List the audio files of an instrument, in order.

    Raises
    ------
    UserError
        There are none, some lie outside of a source's folder, or have names that cannot be
        written down.
    """
    folder = data_dir / instrument
    found = sorted(path for path in folder.rglob("*") if is_recording(path, folder))
    if not found:
        raise UserError(f"no recordings in {folder}: run 'notedecay fetch' first")
    refuse_unusable(found)
    loose = next((path for path in found if path.parent == folder), None)
    if loose:
        raise UserError(f"{loose}: put it into a folder of its own below {folder}")
    return found


def write(notes: list[Note], path: Path) -> None:
    """Write a catalogue as JSON, atomically."""
    text = json.dumps([asdict(note) for note in notes], indent=1, allow_nan=False)
    with replacing(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> list[Note]:
    """Read a catalogue.

    Raises
    ------
    UserError
        No such file, or not a catalogue.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Note(**{**row, **{key: tuple(row[key]) for key in WORDS}}) for row in rows]
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such catalogue: run the prepare stage first") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not a catalogue: run the prepare stage again") from error


def is_of(notes: Sequence[Note], data_dir: Path, files: Iterable[Path]) -> bool:
    """Whether a catalogue is that of these files, by their names and contents."""
    listed = {note.file: note.md5 for note in notes}
    return listed == {path.relative_to(data_dir).as_posix(): digest(path) for path in files}


def is_recording(path: Path, folder: Path) -> bool:
    """Whether a path below ``folder`` is an audio file and not hidden."""
    if path.suffix.lower() not in audio.SUFFIXES or is_hidden(path.relative_to(folder)):
        return False
    return path.is_file()


def _notes_in(
    data_dir: Path, path: Path, named: Named | str, ids: list[str], highpass_hz: float
) -> list[Note]:
    recording = audio.read(path)
    unnamed = _unnamed(data_dir, path, recording, ids[0])
    if isinstance(named, str):
        return [replace(unnamed, flags=(named,))]
    samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=highpass_hz)
    named_note = replace(unnamed, dynamic=named.dynamic, string=named.string)
    cuts = _cuts(path, samples, recording.rate, named)
    return [
        _measured(replace(named_note, id=id_), cut, recording, samples)
        for id_, cut in zip(ids, cuts, strict=True)
    ]


def _unnamed(data_dir: Path, path: Path, recording: Recording, id_: str) -> Note:
    """Catalogue entry of a file without pitch and measurements."""
    instrument, source, *_ = path.relative_to(data_dir).parts
    known = records.read(data_dir / instrument / source)
    return Note(
        id=id_,
        instrument=instrument,
        pitch=0,
        pitch_name="?",
        dynamic=None,
        string=None,
        file=path.relative_to(data_dir).as_posix(),
        start=0.0,
        seconds=round(recording.seconds, 4),
        rate=recording.rate,
        channels=len(recording.samples),
        source=f"{known.source} {known.version}".strip(),
        licence=known.licence,
        md5=digest(path),
    )


def _cuts(path: Path, samples: Samples, rate: int, named: Named) -> list[Cut]:
    if len(named.pitches) == 1:
        return [Cut(named.pitches[0], 0.0, len(samples) / rate)]
    try:
        return chromatic_runs.cut(samples, rate, named.pitches)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _measured(note: Note, cut: Cut, recording: Recording, samples: Samples) -> Note:
    rate = recording.rate
    span = slice(round(cut.start * rate), round((cut.start + cut.seconds) * rate))
    raw = replace(recording, samples=recording.samples[:, span])
    figures = measure(raw, samples[span], cut.pitch)
    figures = replace(figures, warnings=recording.conversions + figures.warnings)
    return replace(
        note,
        pitch=cut.pitch,
        pitch_name=pitch.name(cut.pitch),
        start=round(cut.start, 4),
        seconds=round(cut.seconds, 4),
        **asdict(figures),
    )
