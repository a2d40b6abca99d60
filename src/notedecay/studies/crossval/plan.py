"""The trials of the table: every system on every fold, the first one under further conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notedecay.core.config import Instrument
from notedecay.data.folds import Fold, folds, outside
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.oracle import ORACLE
from notedecay.experiments.scale import REDUCED
from notedecay.experiments.trial import SEEN, UNSEEN, Trial
from notedecay.models import MODELS, Signal
from notedecay.models.recurrent.presets import STANDARD_LSTM
from notedecay.studies.study import Placed
from notedecay.training.evaluator import spread

FOLDS = 5
PRIMES = (0.1, 0.2, 0.5)
"""Further lengths of the prime (s)."""

SEEN_NOTES = 4

UNSEEN_PITCHES = "unseen pitches"
OUTSIDE_RANGE = "outside the trained range"
PAPER_LSTM = "paper's LSTM"


@dataclass(frozen=True)
class System:
    """A row of the table.

    Attributes
    ----------
    label : str
        In the table.
    model : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        Those that differ from the defaults.
    """

    label: str
    model: str
    settings: Mapping[str, Any]

    @property
    def learns(self) -> bool:
        """Whether it must be trained for each fold."""
        return self.model != ORACLE and MODELS[self.model].learned


def systems(best: Mapping[str, Any], config: Instrument) -> list[System]:
    """List the systems: the best of the search, baselines, the paper's LSTM, the oracle.

    Parameters
    ----------
    best : mapping
        ``best.json``: model and settings that score best on validation notes.
    config : Instrument
        Names the baselines and the length of a full training.
    """
    settings = {**best["settings"], "epochs": config.train.epochs}
    found = System(best["model"], best["model"], settings)
    lstm = System(PAPER_LSTM, "lstm", REDUCED.settings(STANDARD_LSTM))
    baselines = [System(name, name, dict(s)) for name, s in config.evaluate.baselines.items()]
    return [found, *baselines, lstm, System(ORACLE, ORACLE, {})]


def trials(
    compared: Sequence[System], dataset: Dataset, config: Instrument, seed: int
) -> list[Placed]:
    """List all trials: the cross-validation first, then the first system's further conditions.

    Parameters
    ----------
    compared : sequence of System
        The one with further conditions first.
    dataset : Dataset
        All good notes.
    config : Instrument
        Share of the validation notes, and epochs between their evaluations.
    seed : int
        Of folds and trainings.
    """
    plan = _Plan(dataset, config, seed)
    divided = plan.folds()
    return [
        *plan.cross_validated(UNSEEN_PITCHES, compared, divided),
        *plan.further(compared[0], divided),
    ]


def cross_validated(
    compared: Sequence[System], dataset: Dataset, config: Instrument, seeds: Sequence[int]
) -> list[Placed]:
    """List the cross-validation alone, once for each seed, which is its condition.

    Parameters
    ----------
    compared, dataset, config
        As of :func:`trials`.
    seeds : sequence of int
        Of folds and trainings.
    """
    plans = [(seed, _Plan(dataset, config, seed)) for seed in seeds]
    return [
        placed
        for seed, plan in plans
        for placed in plan.cross_validated(f"seed {seed}", compared, plan.folds())
    ]


@dataclass(frozen=True)
class _Plan:
    """Data and options that the trials of one seed share."""

    dataset: Dataset
    config: Instrument
    seed: int

    def folds(self) -> list[Fold]:
        return folds(self.dataset.clips, FOLDS, self.seed, self.config.prepare.validation)

    def cross_validated(
        self, condition: str, compared: Sequence[System], divided: Sequence[Fold]
    ) -> Iterator[Placed]:
        """Trials of every system on every fold; one trial for a system without training."""
        everything = Fold((), (), tuple(clip.id for clip in self.dataset.clips))
        for system in compared:
            for fold in divided if system.learns else [everything]:
                yield self._placed(condition, system, fold, self.dataset.signal)

    def further(self, system: System, divided: Sequence[Fold]) -> Iterator[Placed]:
        """Trials with other primes, and with pitches outside the trained range."""
        for seconds in PRIMES:
            signal = self.dataset.signal.model_copy(update={"prime_seconds": seconds})
            for fold in divided:
                yield self._placed(f"prime {seconds * 1000:.0f} ms", system, fold, signal)
        fold = outside(self.dataset.clips, self.seed, self.config.prepare.validation)
        yield self._placed(OUTSIDE_RANGE, system, fold, self.dataset.signal)

    def _placed(self, condition: str, system: System, fold: Fold, signal: Signal) -> Placed:
        by_id = {clip.id: clip for clip in self.dataset.clips}
        train = fold.train if system.learns else ()
        seen = spread([by_id[id_] for id_ in train], SEEN_NOTES)
        trial = Trial(
            model=system.model,
            settings=dict(system.settings),
            signal=signal,
            clips=self.dataset.path,
            train=train,
            validation=fold.validation if system.learns else (),
            evaluation={SEEN: tuple(clip.id for clip in seen), UNSEEN: fold.unseen},
            seed=self.seed,
            check_every=self.config.train.check_every,
        )
        return Placed(condition, system.label, trial)
