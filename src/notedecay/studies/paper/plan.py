"""Which trainings a call of ``notedecay paper`` asks for, at which scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.core.errors import UserError, nearest
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.experiments.trial import C5, Job
from notedecay.studies.paper.datasets import DatasetSpec, Notes, load
from notedecay.studies.paper.experiments import EXPERIMENTS, Experiment
from notedecay.training.evaluator import spread

SEEN_JUDGED, UNSEEN_JUDGED = 8, 12
SEEDS = 3
"""Of a main experiment; the others have one."""

FEWEST_UNITS, FEWEST_FILTERS = 32, 8

Ids = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Of the notes that are learned, judged as seen, and judged as unseen."""


@dataclass(frozen=True)
class Scale:
    """How much smaller than the paper's an experiment is.

    Attributes
    ----------
    name : str
        Of the folder of its results.
    units, epochs : float
        Share of the paper's units (and filters) and epochs.
    learned : int or None
        Most notes that are learned.
    """

    name: str
    units: float
    epochs: float
    learned: int | None

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings at this scale."""
        scaled = dict(settings)
        if "units" in scaled:
            scaled["units"] = max(FEWEST_UNITS, round(self.units * scaled["units"]))
        if "filters" in scaled:
            scaled["filters"] = max(FEWEST_FILTERS, round(self.units * scaled["filters"]))
        if "epochs" in scaled:
            scaled["epochs"] = max(1, round(self.epochs * scaled["epochs"]))
        return scaled


FULL = Scale("full", 1.0, 1.0, None)
REDUCED = Scale("reduced", 1 / 4, 1.0, 30)
QUICK = Scale("quick", 1 / 4, 1 / 3, 30)


@dataclass(frozen=True)
class Planned:
    """A training that is asked for.

    Attributes
    ----------
    experiment : Experiment
        Which row.
    scale : Scale
        Its size.
    job : Job
        What to do.
    folder : Path
        Where its result lies.
    sources : str
        Of its notes, in words.
    """

    experiment: Experiment
    scale: Scale
    job: Job
    folder: Path
    sources: str


def choose(names: Sequence[str], *, main: bool) -> list[Experiment]:
    """The experiments of these names, or all; of them the main ones if asked.

    Raises
    ------
    UserError
        For a name that there is not.
    """
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    for name in names:
        if name not in known:
            raise UserError(f"no experiment '{name}'{nearest(name, known)}")
    chosen = [known[name] for name in dict.fromkeys(names)] or list(EXPERIMENTS)
    return [experiment for experiment in chosen if experiment.main or not main]


def plan(
    experiments: Sequence[Experiment], scale: Scale, data: Path, results: Path
) -> tuple[list[Planned], dict[str, str]]:
    """Say what is to be done, and what cannot be done for want of recordings.

    Parameters
    ----------
    experiments : sequence of Experiment
        Rows.
    scale : Scale
        Their size.
    data : Path
        The data folder.
    results : Path
        Folder of the paper's results.

    Returns
    -------
    planned : list of Planned
        The first seed of each before the second of any.
    lacking : dict of str to str
        Why, by name of the experiment.
    """
    ready: dict[DatasetSpec, tuple[Notes, Ids]] = {}
    lacking: dict[str, str] = {}
    planned: list[tuple[int, Planned]] = []
    for experiment in experiments:
        dataset = experiment.dataset
        try:
            if dataset not in ready:
                notes = load(dataset, data, results / "notes")
                ready[dataset] = notes, _ids(notes, scale)
        except UserError as error:
            lacking[experiment.name] = str(error)
            continue
        notes, ids = ready[dataset]
        for seed, job in enumerate(_jobs(experiment, scale, notes, ids)):
            folder = results / scale.name / f"{experiment.name}-{seed}-{job.key}"
            own = Planned(experiment, scale, job, folder, notes.sources)
            planned.append((seed, own))
    return [own for _, own in sorted(planned, key=lambda pair: pair[0])], lacking


def _jobs(experiment: Experiment, scale: Scale, notes: Notes, ids: Ids) -> Iterator[Job]:
    """One job per seed; what does not learn has one."""
    dataset = experiment.dataset
    settings = scale.settings(experiment.settings)
    padded = None
    if dataset.theirs:  # their last target is a block of silence
        padded = dataset.seconds + 1 / settings["resolution"]
        settings["window_seconds"] = padded
    learned, seen, unseen = ids
    for seed in range(SEEDS if experiment.main and settings else 1):
        yield Job(
            continuator=experiment.continuator,
            settings=settings,
            signal=dataset.signal(experiment.prime_seconds),
            clips=notes.clips,
            learned=learned,
            seen=seen,
            unseen=unseen,
            padded_seconds=padded,
            seed=seed,
            judged_highpass_hz=dataset.highpass_hz if dataset.rumble else None,
        )


def _ids(notes: Notes, scale: Scale) -> Ids:
    """Ids to learn, to judge as seen, and to judge as unseen; C5 wherever it may be."""
    clips = {clip.id: clip for clip in read_clips(notes.clips)}
    seen = [clips[id_] for id_ in notes.seen]
    learned = _some(seen, scale.learned or len(seen))
    judged = _some(learned, SEEN_JUDGED)
    unseen = _some([clips[id_] for id_ in notes.unseen], UNSEEN_JUDGED)
    return _names(learned), _names(judged), _names(unseen)


def _names(clips: Sequence[Clip]) -> tuple[str, ...]:
    return tuple(clip.id for clip in clips)


def _some(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Clips spread over the pitches, and every C5."""
    kept = {clip.id for clip in spread(clips, count)}
    return [clip for clip in clips if clip.id in kept or clip.pitch == C5]
