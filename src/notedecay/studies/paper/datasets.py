"""Notes of each experiment, with our preprocessing or the authors'."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from notedecay import audio
from notedecay.core.errors import UserError
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips, write_clips
from notedecay.data.note import Clip, Note
from notedecay.models import Signal
from notedecay.studies.paper.preprocessing import as_the_authors, step

RECORDED_RATE = 44_100

HELD_OUT = 0.1
"""Share of the pitches in each of the split's two held-out parts; both are unseen here."""

C5 = 72
"""Pitch of the paper's figures; its notes are kept as audio wherever they are evaluated."""


@dataclass(frozen=True)
class DatasetSpec:
    """Training and evaluation notes of an experiment.

    Attributes
    ----------
    instrument : str
        Folder below the data folder.
    highest_hz : float
        The paper's highest pitch (Hz); its rate is about twice that.
    seconds : float
        Length of each note (s).
    highpass_hz : float
        Corner of the rumble filter (Hz). The evaluation filters in any case.
    pitches : str
        ``all``, or ``A``: the paper's reduced piano.
    unseen : str
        ``spread``: pitches drawn over the range. ``C5``: that pitch alone.
    rumble : bool
        Whether the rumble is left in, as the authors did.
    lead : bool
        Whether the prime is counted from the beginning of the file, as the authors did. They
        used only the first note of each chromatic run; here each note of the run follows what
        precedes the first, so that all experiments have the same notes.
    as_authors : bool
        Whether recordings are decimated, and short notes padded, as the authors did; see
        :mod:`notedecay.studies.paper.preprocessing`.
    """

    instrument: str
    highest_hz: float
    seconds: float
    highpass_hz: float
    pitches: Literal["all", "A"] = "all"
    unseen: Literal["spread", "C5"] = "spread"
    rumble: bool = False
    lead: bool = False
    as_authors: bool = False

    @property
    def rate(self) -> int:
        """The paper's sampling rate (Hz)."""
        return RECORDED_RATE // step(RECORDED_RATE, self.highest_hz)

    def signal(self, prime_seconds: float) -> Signal:
        """Signal settings for these notes."""
        return Signal(
            instrument=self.instrument,
            rate=self.rate,
            prime_seconds=prime_seconds,
            highpass_hz=0.0 if self.rumble else self.highpass_hz,
        )


@dataclass(frozen=True)
class Notes:
    """A file of clips, and which of them are training notes.

    Attributes
    ----------
    clips : Path
        For :func:`notedecay.data.clips.read_clips`.
    seen, unseen : tuple of str
        Ids.
    sources : str
        Number of notes and their sources, as text.
    """

    clips: Path
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    sources: str


def load(dataset: DatasetSpec, data: Path, folder: Path) -> Notes:
    """Prepare the notes of a data set, unless they are prepared already.

    Parameters
    ----------
    dataset : DatasetSpec
        Which.
    data : Path
        The data folder.
    folder : Path
        Holds catalogues and clips; data sets with the same notes share a file.

    Raises
    ------
    UserError
        No recordings of the instrument, or too few pitches.
    """
    state = _state(catalogue.recordings(data, dataset.instrument))
    listed = folder / f"{dataset.instrument}-{dataset.highpass_hz:g}-{state}.json"
    if not listed.exists():
        folder.mkdir(parents=True, exist_ok=True)
        notes = catalogue.build(data, dataset.instrument, highpass_hz=dataset.highpass_hz)
        catalogue.write(notes, listed)
    notes = _chosen(catalogue.read(listed), dataset)
    clips = folder / f"{_clips_name(dataset, notes)}-{state}.npz"
    if not clips.exists():
        write_clips(_clips(dataset, notes, data), clips)
    seen, unseen = _parts(notes, dataset)
    if not unseen:
        raise UserError(f"{data / dataset.instrument} has no C5, which this experiment holds out")
    sources = ", ".join(sorted({note.file.split("/")[1] for note in notes}))
    return Notes(clips, tuple(seen), tuple(unseen), f"{len(notes)} notes ({sources})")


def _chosen(notes: Sequence[Note], dataset: DatasetSpec) -> list[Note]:
    """Good notes of the paper's own recordings if there are any, else of all."""
    good = [note for note in notes if not note.flags]
    own = [note for note in good if note.file.split("/")[1].startswith("iowa")]
    return [note for note in own or good if dataset.pitches == "all" or note.pitch % 12 == 9]


def _parts(notes: Sequence[Note], dataset: DatasetSpec) -> tuple[list[str], list[str]]:
    """Ids of training notes and of unseen notes; C5 is unseen only where the spec says so."""
    if dataset.unseen == "C5":
        unseen = [note.id for note in notes if note.pitch == C5]
    else:
        others = [note for note in notes if note.pitch != C5]
        drawn = split.split(others, validation=HELD_OUT, test=HELD_OUT, seed=C5)
        unseen = drawn["validation"] + drawn["test"]
    return [note.id for note in notes if note.id not in unseen], unseen


def _clips(dataset: DatasetSpec, notes: Sequence[Note], data: Path) -> Iterator[Clip]:
    if dataset.lead:
        return (_with_lead(dataset, note, notes, data) for note in notes)
    return prepare_clips(
        data,
        notes,
        rate=dataset.rate,
        seconds=dataset.seconds,
        highpass_hz=0.0 if dataset.rumble else dataset.highpass_hz,
    )


def _with_lead(dataset: DatasetSpec, note: Note, notes: Sequence[Note], data: Path) -> Clip:
    """Clip of a note that follows what precedes the first note of its file."""
    recording = audio.read(data / note.file)
    first = min(other.start for other in notes if other.file == note.file)
    lead, start, end = (
        round(s * recording.rate) for s in (first, note.start, note.start + note.seconds)
    )
    joined = np.hstack([recording.samples[:, :lead], recording.samples[:, start:end]])
    alone = replace(recording, samples=joined)
    highest_hz, seconds = dataset.highest_hz, dataset.seconds
    if dataset.as_authors:
        samples = as_the_authors(alone, highest_hz=highest_hz, seconds=seconds)
    else:
        highpass_hz = 0.0 if dataset.rumble else dataset.highpass_hz
        samples = audio.cleaned(alone, rate=dataset.rate, highpass_hz=highpass_hz)
    return Clip(note.id, note.pitch, samples[: round(seconds * dataset.rate)], dataset.rate)


def _clips_name(dataset: DatasetSpec, notes: Sequence[Note]) -> str:
    """Name of the file of clips, the same for data sets of the same notes and preprocessing."""
    preprocessing = asdict(dataset) | {"unseen": ""}
    cut = [(note.id, note.start, note.seconds) for note in notes]
    digest = hashlib.sha256(repr((preprocessing, cut)).encode()).hexdigest()
    return f"{dataset.instrument}-{digest[:12]}"


def _state(files: Sequence[Path]) -> str:
    """Hash of names and contents of recordings."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:8]
