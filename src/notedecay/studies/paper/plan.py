"""The trials of ``notedecay paper``: experiments at a scale, with seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from notedecay.core.errors import UserError, nearest
from notedecay.data.clips import read_clips
from notedecay.data.note import Clip
from notedecay.experiments.scale import Scale
from notedecay.experiments.trial import SEEN, UNSEEN, Artifacts, Trial
from notedecay.studies.paper.datasets import C5, DatasetSpec, Notes, load
from notedecay.studies.paper.experiments import EXPERIMENTS, Experiment
from notedecay.training.evaluator import spread

SEEN_NOTES, UNSEEN_NOTES = 8, 12
SEEDS = 3
"""Number of seeds of a main experiment; the others have one."""

SNAPSHOTS = 12
"""Snapshots of a network while it is trained, each a column of the heat maps."""

Ids = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Ids of training notes, seen notes, unseen notes, and of those that are kept as audio."""


@dataclass(frozen=True)
class Planned:
    """A trial with its experiment and scale.

    Attributes
    ----------
    experiment : Experiment
        The row of the table.
    scale : Scale
        Its size.
    trial : Trial
        What is run.
    sources : str
        Where its notes come from, as text.
    """

    experiment: Experiment
    scale: Scale
    trial: Trial
    sources: str

    @property
    def name(self) -> str:
        """Of its run and its progress bar."""
        return f"{self.experiment.name}, seed {self.trial.seed}, {self.scale.name}"


def choose(names: Sequence[str], *, main: bool) -> list[Experiment]:
    """Experiments by their names, or all; only the main ones if asked.

    Raises
    ------
    UserError
        For a name that does not exist.
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
    """List trials, and the experiments whose recordings are missing.

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
        The first seed of all experiments before the second of any.
    lacking : dict of str to str
        The reason, by name of the experiment.
    """
    ready: dict[DatasetSpec, tuple[Notes, Ids]] = {}
    lacking: dict[str, str] = {}
    planned: list[Planned] = []
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
        planned += [
            Planned(experiment, scale, trial, notes.sources)
            for trial in _trials(experiment, scale, notes, ids)
        ]
    return sorted(planned, key=lambda one: one.trial.seed), lacking


def _trials(experiment: Experiment, scale: Scale, notes: Notes, ids: Ids) -> Iterator[Trial]:
    """One trial per seed; a model without training has one."""
    dataset = experiment.dataset
    settings = scale.settings(experiment.settings)
    padded = None
    if dataset.as_authors:  # in the authors' code the last target is a block of silence
        padded = dataset.seconds + 1 / settings["resolution"]
        settings["window_seconds"] = padded
    train, seen, unseen, listen = ids
    every = max(1, settings.get("epochs", SNAPSHOTS) // SNAPSHOTS)
    for seed in range(SEEDS if experiment.main and settings else 1):
        yield Trial(
            model=experiment.model,
            settings=settings,
            signal=dataset.signal(experiment.prime_seconds),
            clips=notes.clips,
            train=train,
            evaluation={SEEN: seen, UNSEEN: unseen},
            seed=seed,
            padded_seconds=padded,
            evaluation_highpass_hz=dataset.highpass_hz if dataset.rumble else None,
            artifacts=Artifacts(listen=listen, diagnose_every=every if settings else 0),
        )


def _ids(notes: Notes, scale: Scale) -> Ids:
    """Ids of training, seen, unseen and audible notes; every C5 is among them."""
    clips = {clip.id: clip for clip in read_clips(notes.clips)}
    seen = [clips[id_] for id_ in notes.seen]
    train = _some(seen, scale.train or len(seen))
    evaluated = _some(train, SEEN_NOTES)
    unseen = _some([clips[id_] for id_ in notes.unseen], UNSEEN_NOTES)
    listen = [*_kept(evaluated), *_kept(unseen)]
    return _names(train), _names(evaluated), _names(unseen), _names(listen)


def _names(clips: Sequence[Clip]) -> tuple[str, ...]:
    return tuple(clip.id for clip in clips)


def _some(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Clips spread over the pitches, and every C5."""
    kept = {clip.id for clip in spread(clips, count)}
    return [clip for clip in clips if clip.id in kept or clip.pitch == C5]


def _kept(clips: Sequence[Clip]) -> list[Clip]:
    """Clips to listen to: the first C5, and two others."""
    ids = {clip.id for clip in spread(clips, 2)}
    first_c5 = next((clip.id for clip in clips if clip.pitch == C5), None)
    return [clip for clip in clips if clip.id in ids | {first_c5}]
