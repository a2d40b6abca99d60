"""The catalogue: every note of an instrument, with where it lies and what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from notedecay import audio
from notedecay.audio import Recording
from notedecay.errors import UserError
from notedecay.files import replacing
from notedecay.notes import names, origin, pitch, runs
from notedecay.notes.measure import measure
from notedecay.notes.names import Named
from notedecay.notes.note import Note, Samples
from notedecay.notes.runs import Cut

Progress = Callable[[int, int], None]
"""Told how many files are done, of how many."""

NO_PITCH = "no pitch in its name (name it like C4_ff.wav)"


def build(
    data_dir: Path, instrument: str, *, highpass_hz: float, progress: Progress | None = None
) -> list[Note]:
    """Catalogue ``data/<instrument>/<source>/...``.

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
        No recordings, one that cannot be read, or two that would have the same id.
    """
    files = recordings(data_dir, instrument)
    _refuse_duplicates(data_dir, files)
    notes: list[Note] = []
    for done, path in enumerate(files, 1):
        notes.extend(_notes_in(data_dir, path, highpass_hz))
        if progress:
            progress(done, len(files))
    return sorted(notes, key=lambda note: (note.id.split("/")[1], note.pitch, note.id))


def recordings(data_dir: Path, instrument: str) -> list[Path]:
    """List the audio files of an instrument, in order.

    Raises
    ------
    UserError
        There are none, or some lie outside of a source's folder.
    """
    folder = data_dir / instrument
    found = sorted(path for path in folder.rglob("*") if _is_recording(path, folder))
    if not found:
        raise UserError(f"no recordings in {folder}: run 'notedecay fetch' first")
    loose = next((path for path in found if path.parent == folder), None)
    if loose:
        raise UserError(f"{loose}: put it into a folder of its own below {folder}")
    return found


def write(notes: list[Note], path: Path) -> None:
    """Write a catalogue as JSON, whole or not at all."""
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
        return [Note(**{**row, "flags": tuple(row["flags"])}) for row in rows]
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such catalogue: run the prepare stage first") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not a catalogue: run the prepare stage again") from error


def _is_recording(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return path.suffix.lower() in audio.SUFFIXES and not hidden and path.is_file()


def _ids(data_dir: Path, path: Path) -> list[str]:
    """Ids of the notes that a file's name promises; one by its stem where it names no pitch."""
    instrument, source, *_ = path.relative_to(data_dir).parts
    named = names.parse(path.stem)
    if named is None:
        return [f"{instrument}/{source}/{path.stem}"]
    return [f"{instrument}/{named.take or source}/{pitch.name(midi)}" for midi in named.pitches]


def _refuse_duplicates(data_dir: Path, files: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in files:
        for id_ in _ids(data_dir, path):
            if id_ in seen:
                raise UserError(
                    f"{seen[id_]} and {path} both hold {id_}: remove one, "
                    "or tell them apart by dynamic or string in their names"
                )
            seen[id_] = path


def _notes_in(data_dir: Path, path: Path, highpass_hz: float) -> list[Note]:
    recording = audio.read(path)
    ids = _ids(data_dir, path)
    unnamed = _unnamed(data_dir, path, recording, ids[0])
    named = names.parse(path.stem)
    if named is None:
        return [unnamed]
    samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=highpass_hz)
    named_note = replace(unnamed, dynamic=named.dynamic, string=named.string)
    cuts = _cuts(path, samples, recording.rate, named)
    return [
        _measured(replace(named_note, id=id_), cut, recording, samples)
        for id_, cut in zip(ids, cuts, strict=True)
    ]


def _unnamed(data_dir: Path, path: Path, recording: Recording, id_: str) -> Note:
    """All that is known of a file before its name is understood."""
    instrument, source, *_ = path.relative_to(data_dir).parts
    known = origin.read(data_dir / instrument / source)
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
        flags=(NO_PITCH,),
    )


def _cuts(path: Path, samples: Samples, rate: int, named: Named) -> list[Cut]:
    if len(named.pitches) == 1:
        return [Cut(named.pitches[0], 0.0, len(samples) / rate)]
    try:
        return runs.cut(samples, rate, named.pitches)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _measured(note: Note, cut: Cut, recording: Recording, samples: Samples) -> Note:
    rate = recording.rate
    span = slice(round(cut.start * rate), round((cut.start + cut.seconds) * rate))
    raw = Recording(recording.samples[:, span], rate, recording.path)
    figures = measure(raw, samples[span], cut.pitch)
    return replace(
        note,
        pitch=cut.pitch,
        pitch_name=pitch.name(cut.pitch),
        start=round(cut.start, 4),
        seconds=round(cut.seconds, 4),
        **asdict(figures),
    )
