"""The search: Optuna proposes trials by the scores of earlier ones on validation notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from notedecay.core.config import Search
from notedecay.core.errors import UserError
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import Runner
from notedecay.experiments.search.space import suggest
from notedecay.experiments.search.study import ask_until, finished, open_study, requeue
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import PRUNED, SEEN, VALIDATION, Artifacts, Trial
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.evaluator import spread
from notedecay.training.selection import CHECKPOINT_SCORE

STUDY = "notedecay.study"
"""Tag of the run of a study: the name of the study."""


@dataclass(frozen=True)
class Notes:
    """Notes that the trials of a search work on.

    Attributes
    ----------
    dataset : Dataset
        Its train and validation notes are used.
    seen : int
        Number of training notes that are evaluated too.
    listen : int
        Number of notes of each evaluation set that are kept as audio and pictures.
    """

    dataset: Dataset
    seen: int
    listen: int


@dataclass(frozen=True)
class Best:
    """The result of a search.

    Attributes
    ----------
    model : str
        Its name.
    settings : dict
        Its settings.
    score : float
        Mean free-running score on the validation notes, 0..1.
    run_name : str
        Of its trial's run.
    trials : list of dict
        Number, state, score and settings of every finished trial.
    """

    model: str
    settings: dict[str, Any]
    score: float
    run_name: str
    trials: list[dict[str, Any]]


def search(
    name: str,
    config: Search,
    notes: Notes,
    *,
    seed: int,
    database: Path,
    store: TrialStore,
    runner: Runner,
    tracker: Tracker,
    bars: TrialBars,
) -> Best:
    """Run trials until the study has enough; call again to resume after an interruption.

    Parameters
    ----------
    name : str
        Of the study; it changes with anything that makes trials incomparable.
    config : Search
        Space and length.
    notes : Notes
        Of the trials.
    seed : int
        The same seed gives the same trials.
    database : Path
        SQLite file of the studies.
    store : TrialStore
        The store of the runner.
    runner : Runner
        Runs the trials.
    tracker : Tracker
        Gets a run per study and per trial.
    bars : TrialBars
        Draws the progress.

    Returns
    -------
    Best
        The best finished trial.
    """
    study = open_study(name, database, config.warmup_checks * config.check_every)
    with _study_run(tracker, name, config) as study_run:
        listing = _Listing(study, config, notes, seed, study_run.id, store, bars)
        with listing, TrialSink(tracker, "trial", name) as sink:
            failed = run_trials(
                listing, runner, store, sink, bars,
                on_epoch=listing.report, on_result=listing.tell,
            )  # fmt: skip
        for one, fault in failed.items():
            raise UserError(f"{one}: {fault.line}")
        best = _best(study, config)
        study_run.metrics({"best.score": best.score, "trials": len(best.trials)})
        study_run.tag({"notedecay.best_trial": best.run_name})
        study_run.table(best.trials, "trials.csv")
    return best


def _study_run(tracker: Tracker, name: str, config: Search) -> AbstractContextManager[ActiveRun]:
    earlier = tracker.find(STUDY, name, "study")
    if earlier is not None:
        return tracker.resume(earlier.info.run_id)
    params = {"trials": config.trials, "epochs": config.epochs}
    return tracker.run(f"search {tracker.instrument}", "study", params=params, tags={STUDY: name})


class _Listing:
    """Trials that the study proposes; their scores are reported to it, the rest is queued again."""

    def __init__(
        self,
        study: optuna.Study,
        config: Search,
        notes: Notes,
        seed: int,
        parent: str,
        store: TrialStore,
        bars: TrialBars,
    ) -> None:
        self.study, self.config, self.notes, self.seed = study, config, notes, seed
        self.parent, self.store, self.bars = parent, store, bars
        self.asked: dict[str, _Asked] = {}

    def __enter__(self) -> None:
        self.bars.total(len(finished(self.study)), self.config.trials)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for asked in self.asked.values():
            requeue(self.study, asked.trial)

    def __iter__(self) -> Iterator[Listed]:
        for asked in ask_until(self.study, self.config.trials, self.seed):
            model, settings = suggest(asked, self.config.spaces)
            # The study's own number counts killed trials too.
            name = _run_name(len(finished(self.study)), model)
            trial = self._trial(model, settings, asked.user_attrs["seed"])
            asked.set_user_attr("model", model)
            asked.set_user_attr("settings", settings)
            self.asked[trial.fingerprint] = _Asked(asked)
            self.asked[trial.fingerprint].report_all(self.store.history(trial))
            tags = {"notedecay.trial_number": str(len(finished(self.study)))}
            yield Listed(trial, name, tags, self.parent)

    def _trial(self, model: str, settings: Mapping[str, Any], seed: int) -> Trial:
        dataset = self.notes.dataset
        sets = {
            SEEN: dataset.seen(self.notes.seen),
            VALIDATION: dataset.part("validation"),
        }
        listen = [clip.id for notes in sets.values() for clip in spread(notes, self.notes.listen)]
        return Trial(
            model=model,
            settings={**settings, "epochs": self.config.epochs},
            signal=dataset.signal,
            clips=dataset.path,
            train=dataset.ids("train"),
            validation=dataset.ids("validation"),
            evaluation={name: tuple(clip.id for clip in notes) for name, notes in sets.items()},
            seed=seed,
            check_every=self.config.check_every,
            artifacts=Artifacts(listen=tuple(listen)),
        )

    def report(self, one: Listed, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Report a score to the study; return whether the trial is pruned."""
        if CHECKPOINT_SCORE not in metrics:
            return False
        asked = self.asked[one.trial.fingerprint]
        asked.report_all([{"epoch": epoch, **metrics}])
        return epoch < self.config.epochs and asked.trial.should_prune()

    def tell(self, one: Listed, result: dict[str, Any], run_id: str) -> None:
        """Report the end of a trial to the study; one that diverged early has a score of 0.

        The trial is removed from the store, since study and run hold its figures.
        """
        asked = self.asked[one.trial.fingerprint]
        asked.report_all(result["history"])
        asked.trial.set_user_attr("run_id", run_id)
        if result["ended"] == PRUNED:
            self.study.tell(asked.trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self.study.tell(asked.trial, result["score"] or 0.0)
        del self.asked[one.trial.fingerprint]
        self.store.remove(one.trial)


class _Asked:
    """A running trial of Optuna; each of its scores is reported once, also after a resume."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self._reported: set[int] = set()

    def report_all(self, history: Iterable[Mapping[str, Any]]) -> None:
        """Report the scores of epochs that have not been reported."""
        for row in history:
            epoch = int(row["epoch"])
            if CHECKPOINT_SCORE in row and epoch not in self._reported:
                self._reported.add(epoch)
                self.trial.report(row[CHECKPOINT_SCORE], epoch)


def _run_name(number: int, model: str) -> str:
    return f"trial {number} {model}"


def _best(study: optuna.Study, config: Search) -> Best:
    counted = finished(study)[: config.trials]  # a longer earlier search does not count
    complete = [t for t in counted if t.state == optuna.trial.TrialState.COMPLETE]
    if not complete:
        raise UserError(
            f"no trial of {study.study_name} ran to its end; raise search.trials or warmup_checks"
        )
    best = max(complete, key=lambda t: t.value or 0.0)
    rows = [
        {"trial": number, "state": t.state.name.lower(), "score": t.value, **t.params}
        for number, t in enumerate(counted)
    ]
    settings = {**best.user_attrs["settings"], "epochs": config.epochs}
    model = best.user_attrs["model"]
    run_name = _run_name(counted.index(best), model)
    return Best(model, settings, best.value or 0.0, run_name, rows)
