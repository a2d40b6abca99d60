"""The point of each slot: a pure function of the seed, the slot, and the trials that are over.

A search of N trials is N slots. Slot i may begin when slots 0..i-window are over, and its point
depends on those alone. So any number of workers, coming and going, make the same trials.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from notedecay.experiments.search.space import Spaces, suggest

optuna.logging.set_verbosity(optuna.logging.WARNING)

DIRECTIONS = {
    "score": StudyDirection.MAXIMIZE,
    "calibration": StudyDirection.MINIMIZE,
    "cost": StudyDirection.MINIMIZE,
}
"""What a search may aim at, and where better values lie."""

INFORMATION = (TrialState.COMPLETE, TrialState.PRUNED)
"""States that tell the sampler something; a failed trial is over, and no more."""


@dataclass(frozen=True)
class Plan:
    """What the points of a study depend on, besides the trials that are over.

    Attributes
    ----------
    seed : int
        Of the search.
    window : int
        Slot i may begin when slots 0..i-window are over: at most this many trials run at once.
        Another window gives other points; another number of workers does not.
    spaces : mapping
        Per model, per setting: a value, a list of choices or a range.
    startup : int
        Complete trials of each model before the sampler may prefer some model to another.
    objectives : tuple of str
        Keys of :data:`DIRECTIONS`, in the order of a trial's values; the score is the first.
    enqueued : tuple of mapping
        Parameters of points to begin with, as named in the study; what a point leaves out is
        sampled. They take the first slots of their models.
    """

    seed: int
    window: int
    spaces: Spaces
    startup: int
    objectives: tuple[str, ...] = ("score",)
    enqueued: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Point:
    """Where in the space the trial of a slot is.

    Attributes
    ----------
    slot : int
        From 0.
    model : str
        Its name.
    settings : dict
        Of the model, as far as the space names them.
    seed : int
        Of the trial.
    params, distributions : dict
        The same for Optuna.
    share : bool
        Whether the trial belongs to its model's share of :attr:`Plan.startup` complete trials; it
        is not pruned then.
    """

    slot: int
    model: str
    settings: dict[str, Any]
    seed: int
    params: dict[str, Any]
    distributions: dict[str, BaseDistribution]
    share: bool


def begin(plan: Plan, slot: int, over: Mapping[int, FrozenTrial]) -> Point:
    """Find the point of a slot.

    Parameters
    ----------
    plan : Plan
        Of the study.
    slot : int
        From 0.
    over : mapping of int to FrozenTrial
        Trials that are over, by slot: 0..slot-window at least. Others do not matter.

    Returns
    -------
    Point
        The same on every machine, for any number of workers.

    Raises
    ------
    KeyError
        A slot of the prefix is not over.
    """
    done = [_lean(trial) for trial in prefix(plan, slot, over)]
    points: dict[int, Point] = {}
    for current in range(len(done), slot + 1):
        first = max(0, current - plan.window + 1)  # of the slots that run beside this one
        peers = [
            _running(done[peer].user_attrs["model"], done[peer])
            if peer < len(done)
            else _running(points[peer].model, points[peer])
            for peer in range(first, current)
        ]
        points[current] = _ask(plan, current, done[:first], peers)
    return points[slot]


def prefix(plan: Plan, slot: int, over: Mapping[int, FrozenTrial]) -> list[FrozenTrial]:
    """The trials that a slot depends on, 0..slot-window, in their order."""
    return [over[earlier] for earlier in range(max(0, slot - plan.window + 1))]


def slot_seed(seed: int, slot: int) -> int:
    """Seed of a slot's trial, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{slot}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _lean(trial: FrozenTrial) -> FrozenTrial:
    """What the sampler needs of a trial that is over, without its many scores."""
    attributes, pruned = trial.user_attrs, trial.state == TrialState.PRUNED
    means = {
        int(epoch): float(np.mean(np.asarray(notes, np.float64)))
        for epoch, notes in attributes.get("scores", {}).items()
    }
    return create_trial(
        state=trial.state,
        values=trial.values if trial.state == TrialState.COMPLETE else None,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={"model": attributes["model"]},
        intermediate_values=means if pruned else None,
    )


def _running(model: str, at: FrozenTrial | Point) -> FrozenTrial:
    """A trial as the slots beside it know it: where it is, and nothing else."""
    return create_trial(
        state=TrialState.RUNNING,
        params=at.params,
        distributions=at.distributions,
        user_attrs={"model": model},
    )


def _ask(plan: Plan, slot: int, done: Sequence[FrozenTrial], peers: Sequence[FrozenTrial]) -> Point:
    """Sample a point that knows what is done and, as the constant liar, what runs beside it."""
    owed = _owed(plan, done, peers)
    seed = slot_seed(plan.seed, slot)
    sampler = _tpe(seed, plan.startup) if owed is None else _Spread(plan, *owed)
    study = optuna.create_study(
        directions=[DIRECTIONS[name] for name in plan.objectives], sampler=sampler
    )
    study.add_trials([*(trial for trial in done if trial.state in INFORMATION), *peers])
    if owed is not None:
        study.enqueue_trial(_fixed(plan, *owed))
    trial = study.ask()
    model, settings = suggest(trial, plan.spaces)
    return Point(
        slot, model, settings, seed, trial.params, trial.distributions, share=owed is not None
    )


def _owed(
    plan: Plan, done: Sequence[FrozenTrial], peers: Sequence[FrozenTrial]
) -> tuple[str, int] | None:
    """The model whose turn it is, and how often it has been tried; None if all had their share.

    Failed trials are tried again elsewhere in the space, up to as often as the share is large: a
    model that never runs must not take the whole budget.
    """
    tried = Counter(trial.user_attrs["model"] for trial in (*done, *peers))
    ended = Counter((trial.user_attrs["model"], trial.state) for trial in done)

    def owes(model: str) -> bool:
        failed = min(ended[model, TrialState.FAIL], plan.startup)
        had = tried[model] - ended[model, TrialState.PRUNED] - failed
        return had < max(plan.startup, len(_queue(plan, model)))

    model = min(filter(owes, plan.spaces), key=lambda name: tried[name], default=None)
    return None if model is None else (model, tried[model])


def _queue(plan: Plan, model: str) -> list[Mapping[str, Any]]:
    """Enqueued points of a model."""
    return [point for point in plan.enqueued if point.get("model", model) == model]


def _fixed(plan: Plan, model: str, tried: int) -> dict[str, Any]:
    """Parameters that are not sampled in the next trial of a model that is owed one."""
    queue = _queue(plan, model)
    return {**(queue[tried] if tried < len(queue) else {}), "model": model}


def _tpe(seed: int, startup: int) -> TPESampler:
    """The sampler that models the settings of each model jointly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of group
        return TPESampler(
            seed=seed,
            n_startup_trials=max(1, startup),
            multivariate=True,
            group=True,
            constant_liar=True,
        )


class _Spread(BaseSampler):
    """Latin hypercube over the share of a model: every setting is covered evenly.

    The range of each setting is divided into as many strata as the share has trials, and each
    stratum gets one: three trials try all three of a setting's choices.

    References
    ----------
    M. D. McKay, R. J. Beckman and W. J. Conover, "A comparison of three methods for selecting
    values of input variables in the analysis of output from a computer code", Technometrics 21,
    1979.
    """

    def __init__(self, plan: Plan, model: str, tried: int) -> None:
        self._strata = max(1, plan.startup)
        drawn = tried - len(_queue(plan, model))
        self._round, self._place = divmod(max(0, drawn), self._strata)
        self._seed = plan.seed

    def infer_relative_search_space(self, *_: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        digest = hashlib.sha256(f"{self._seed}:{param_name}:{self._round}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        places = (rng.permutation(self._strata) + rng.random(self._strata)) / self._strata
        return _at(float(places[self._place]), param_distribution)


def _at(place: float, distribution: BaseDistribution) -> Any:
    """The value at a place of 0..1 (exclusive) of a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(place * len(distribution.choices))]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    whole = isinstance(distribution, IntDistribution)
    low, high = distribution.low - 0.5 * whole, distribution.high + 0.5 * whole
    log = distribution.log
    value = low * (high / low) ** place if log else low + place * (high - low)
    value = min(max(value, distribution.low), distribution.high)
    return round(value) if whole else value
