"""Stage ``prepare``: catalogue, split and clips of an instrument's recordings."""

from __future__ import annotations

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips, write_clips
from notedecay.data.sources import lock
from notedecay.experiments.dataset import CLIPS, SPLIT
from notedecay.plots.overview import overview


def prepare(project: Project, params: Params, instrument: str, progress: catalogue.Progress) -> str:
    """Write ``catalogue.json``, ``notes.png``, ``split.json`` and ``clips.npz``.

    Parameters
    ----------
    project : Project
        Holds data and results.
    params : Params
        Validated.
    instrument : str
        Its name.
    progress : callable
        Called with the number of catalogued files and that of all.

    Returns
    -------
    str
        Numbers of notes, in one line.

    Raises
    ------
    UserError
        If the data differ from the pin, or too few good notes are left.
    """
    config = params.instrument(instrument).prepare
    lock.verify(project.root, instrument)
    results = project.results(instrument)
    results.mkdir(parents=True, exist_ok=True)
    notes = catalogue.build(
        project.data, instrument, highpass_hz=config.highpass_hz, progress=progress
    )
    parts = split.split(notes, validation=config.validation, test=config.test, seed=params.seed)
    split.audit(parts, notes)
    used = {note_id for ids in parts.values() for note_id in ids}
    clips = prepare_clips(
        project.data,
        [note for note in notes if note.id in used],
        rate=config.rate,
        seconds=config.seconds,
        highpass_hz=config.highpass_hz,
    )
    write_clips(clips, results / CLIPS)
    split.write(parts, results / SPLIT)
    overview(notes, results / "notes.png")
    catalogue.write(notes, results / "catalogue.json")
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in parts.items())
    return f"{len(notes)} notes, {len(notes) - len(used)} set aside; {counts}"
