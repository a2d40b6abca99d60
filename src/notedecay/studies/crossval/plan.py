"""The jobs behind the table: every competitor on every fold, and the champion's further trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.core.config import Instrument
from notedecay.data.note import Clip
from notedecay.experiments.oracle import ORACLE
from notedecay.experiments.trial import Job
from notedecay.models import MODELS, Signal
from notedecay.studies.crossval.folds import Fold, folds, outside
from notedecay.studies.paper.experiments import MENDED
from notedecay.studies.paper.plan import REDUCED
from notedecay.training.evaluator import spread

FOLDS = 5
PRIMES = (0.1, 0.2, 0.5)
"""Further lengths of the prime (s)."""

SEEN_JUDGED = 4

UNSEEN = "unseen pitches"
OUTSIDE = "outside the learned range"
PAPER_LSTM = "paper's LSTM"


@dataclass(frozen=True)
class Competitor:
    """A continuator in the table.

    Attributes
    ----------
    label : str
        In the table.
    continuator : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        All that differs from the defaults.
    """

    label: str
    continuator: str
    settings: Mapping[str, Any]

    @property
    def learns(self) -> bool:
        """Whether it must be trained for each fold."""
        return self.continuator != ORACLE and MODELS[self.continuator].learned


@dataclass(frozen=True)
class Trial:
    """A job, and which row of which table it belongs to.

    Attributes
    ----------
    condition : str
        What is asked: :data:`UNSEEN`, a prime's length, :data:`OUTSIDE`.
    competitor : Competitor
        Who is asked.
    job : Job
        What to do.
    folder : Path
        Where its result lies.
    """

    condition: str
    competitor: Competitor
    job: Job
    folder: Path


def competitors(best: Mapping[str, Any], epochs: int, config: Instrument) -> list[Competitor]:
    """Who takes part: the best of the search, the paper's LSTM, the baselines, the oracle.

    Parameters
    ----------
    best : mapping
        ``best.json``: what the search found on validation notes.
    epochs : int
        Of its full training.
    config : Instrument
        Names the baselines.
    """
    found = Competitor(
        best["continuator"], best["continuator"], {**best["settings"], "epochs": epochs}
    )
    lstm = Competitor(PAPER_LSTM, "lstm", REDUCED.settings(MENDED))
    baselines = [Competitor(name, name, dict(s)) for name, s in config.evaluate.baselines.items()]
    return [found, *baselines, lstm, Competitor(ORACLE, ORACLE, {})]


def trials(
    entered: Sequence[Competitor],
    clips: Sequence[Clip],
    path: Path,
    signal: Signal,
    seed: int,
    folder: Path,
) -> list[Trial]:
    """All jobs: the cross-validation first, then the first competitor's further trials.

    Parameters
    ----------
    entered : sequence of Competitor
        The one whose further trials are run first.
    clips : sequence of Clip
        All good notes.
    path : Path
        Their file.
    signal : Signal
        How they are heard; its prime is the usual one.
    seed : int
        Of folds and trainings.
    folder : Path
        Gets a folder for each job.
    """
    divided = folds(clips, FOLDS, seed)
    jobs = [
        (UNSEEN, one, job) for one, job in _validated(entered, divided, clips, path, signal, seed)
    ]
    jobs += _further(entered[0], divided, clips, path, signal, seed)
    return [_trial(*each, folder) for each in jobs]


def cross_validated(
    entered: Sequence[Competitor],
    clips: Sequence[Clip],
    path: Path,
    signal: Signal,
    seeds: Sequence[int],
    folder: Path,
) -> list[Trial]:
    """The cross-validation alone, once for each seed, which is its condition.

    Parameters
    ----------
    entered, clips, path, signal, folder
        As of :func:`trials`.
    seeds : sequence of int
        Of folds and trainings.
    """
    return [
        _trial(f"seed {seed}", one, job, folder)
        for seed in seeds
        for one, job in _validated(entered, folds(clips, FOLDS, seed), clips, path, signal, seed)
    ]


def _trial(condition: str, one: Competitor, job: Job, folder: Path) -> Trial:
    return Trial(condition, one, job, folder / f"{one.continuator}-{job.key}")


def _validated(
    entered: Sequence[Competitor],
    divided: Sequence[Fold],
    clips: Sequence[Clip],
    path: Path,
    signal: Signal,
    seed: int,
) -> Iterator[tuple[Competitor, Job]]:
    """Every competitor on every fold; who does not learn does all notes at once."""
    everyone = Fold((), tuple(clip.id for clip in clips))
    for one in entered:
        for fold in divided if one.learns else [everyone]:
            yield one, _job(one, fold, clips, path, signal, seed)


def _further(
    one: Competitor,
    divided: Sequence[Fold],
    clips: Sequence[Clip],
    path: Path,
    signal: Signal,
    seed: int,
) -> Iterator[tuple[str, Competitor, Job]]:
    """Other primes, and pitches beyond those that were learned."""
    for seconds in PRIMES:
        other = signal.model_copy(update={"prime_seconds": seconds})
        for fold in divided:
            yield f"prime {seconds * 1000:.0f} ms", one, _job(one, fold, clips, path, other, seed)
    yield OUTSIDE, one, _job(one, outside(clips), clips, path, signal, seed)


def _job(
    one: Competitor, fold: Fold, clips: Sequence[Clip], path: Path, signal: Signal, seed: int
) -> Job:
    by_id = {clip.id: clip for clip in clips}
    learned = fold.learned if one.learns else ()
    seen = spread([by_id[id_] for id_ in learned], SEEN_JUDGED)
    return Job(
        continuator=one.continuator,
        settings=dict(one.settings),
        signal=signal,
        clips=path,
        learned=learned,
        seen=tuple(clip.id for clip in seen),
        unseen=fold.unseen,
        padded_seconds=None,
        seed=seed,
        illustrated=False,
    )
