"""The notes of each experiment, learned from and kept unseen, as we hear and as they heard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
"""Share of the pitches in each of the split's two held-out parts; here both are unseen."""


C5 = 72
"""The note of the paper's figures, kept to listen to wherever it is evaluated."""


@dataclass(frozen=True)
class DatasetSpec:
    """What an experiment learns from and is judged on.

    Attributes
    ----------
    instrument : str
        Folder below the data folder.
    highest_hz : float
        The paper's highest pitch (Hz); its rate is about twice that.
    seconds : float
        Length of each note (s).
    highpass_hz : float
        Corner of the rumble filter (Hz). What is judged is filtered in any case.
    pitches : str
        ``all``, or ``A``: the paper's reduced piano.
    unseen : str
        ``spread``: pitches drawn over the range. ``C5``: that pitch alone.
    rumble : bool
        Whether the rumble is left in, as the authors did.
    lead : bool
        Whether the prime is counted from the beginning of the file, as the authors did. They
        took of each chromatic run the first note alone; here each of its notes is heard after
        what precedes the first, so that all have the same notes.
    theirs : bool
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
    theirs: bool = False

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
    """Clips on disk, and which are learned.

    Attributes
    ----------
    clips : Path
        For :func:`notedecay.data.clips.read_clips`.
    seen, unseen : tuple of str
        Ids.
    sources : str
        Where they come from, in words.
    """

    clips: Path
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    sources: str


def load(dataset: DatasetSpec, data: Path, folder: Path) -> Notes:
    """Make the notes of a data set ready, or find them ready.

    Parameters
    ----------
    dataset : DatasetSpec
        Which.
    data : Path
        The data folder.
    folder : Path
        Gets catalogue and clips, one of each for all data sets that share them.

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
    """Good notes of the paper's own recordings where they are there, of all else."""
    good = [note for note in notes if not note.flags]
    own = [note for note in good if note.file.split("/")[1].startswith("iowa")]
    return [note for note in own or good if dataset.pitches == "all" or note.pitch % 12 == 9]


def _parts(notes: Sequence[Note], dataset: DatasetSpec) -> tuple[list[str], list[str]]:
    """Ids that are learned and ids that are not; C5 is never unseen by chance."""
    if dataset.unseen == "C5":
        unseen = [note.id for note in notes if note.pitch == C5]
    else:
        others = [note for note in notes if note.pitch != C5]
        drawn = split.split(others, validation=HELD_OUT, test=HELD_OUT, seed=C5)
        unseen = drawn["validation"] + drawn["test"]
    return [note.id for note in notes if note.id not in unseen], unseen


def _clips(dataset: DatasetSpec, notes: Sequence[Note], data: Path) -> list[Clip]:
    if dataset.lead:
        return [_with_lead(dataset, note, notes, data) for note in notes]
    return prepare_clips(
        data,
        notes,
        rate=dataset.rate,
        seconds=dataset.seconds,
        highpass_hz=0.0 if dataset.rumble else dataset.highpass_hz,
    )


def _with_lead(dataset: DatasetSpec, note: Note, notes: Sequence[Note], data: Path) -> Clip:
    """A note after what precedes the first note of its file."""
    recording = audio.read(data / note.file)
    first = min(other.start for other in notes if other.file == note.file)
    lead, start, end = (
        round(s * recording.rate) for s in (first, note.start, note.start + note.seconds)
    )
    heard = np.hstack([recording.samples[:, :lead], recording.samples[:, start:end]])
    alone = replace(recording, samples=heard)
    highest_hz, seconds = dataset.highest_hz, dataset.seconds
    if dataset.theirs:
        samples = as_the_authors(alone, highest_hz=highest_hz, seconds=seconds)
    else:
        highpass_hz = 0.0 if dataset.rumble else dataset.highpass_hz
        samples = audio.cleaned(alone, rate=dataset.rate, highpass_hz=highpass_hz)
    return Clip(note.id, note.pitch, samples[: round(seconds * dataset.rate)], dataset.rate)


def _clips_name(dataset: DatasetSpec, notes: Sequence[Note]) -> str:
    """A name that data sets of the same notes, heard alike, share."""
    heard = asdict(dataset) | {"unseen": ""}
    cut = [(note.id, note.start, note.seconds) for note in notes]
    digest = hashlib.sha256(repr((heard, cut)).encode()).hexdigest()
    return f"{dataset.instrument}-{digest[:12]}"


def _state(files: Sequence[Path]) -> str:
    """Names and contents of recordings in one word."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:8]
