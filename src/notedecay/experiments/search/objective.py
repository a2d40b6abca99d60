"""Search continuators and their settings: a study is a run, a trial is a run below it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from notedecay.core.config import Search
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.experiments.search.space import suggest
from notedecay.experiments.search.study import ask_until, finished, open_study, run_trial
from notedecay.metrics import mean_scores
from notedecay.models import create
from notedecay.models.base import Signal
from notedecay.tracking.listening import log_listening
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.fit import TrainingDiverged
from notedecay.training.selection import Selected, fit_selected


@dataclass(frozen=True)
class Notes:
    """What a trial works on.

    Attributes
    ----------
    train : sequence of Clip
        Notes to learn from.
    panels : dict of str to EvaluationSet
        ``validation`` steers the search; all are judged on when a trial is complete.
    listen : int
        How many notes of each panel are kept as audio and pictures.
    signal : Signal
        How continuators hear.
    """

    train: Sequence[Clip]
    panels: Mapping[str, EvaluationSet]
    listen: int
    signal: Signal


@dataclass(frozen=True)
class Best:
    """What the search found.

    Attributes
    ----------
    continuator : str
        Its name.
    settings : dict
        Its configuration.
    score : float
        Mean free-running score on the validation notes, 0..1.
    run_name : str
        Of its trial's run.
    trials : list of dict
        Number, state, value and settings of every finished trial, for the pictures.
    """

    continuator: str
    settings: dict[str, Any]
    score: float
    run_name: str
    trials: list[dict[str, Any]]


class Observer:
    """Told how the search goes; the command line draws it."""

    def trial(self, number: int, of: int, name: str) -> None:
        """A trial begins."""

    def epoch(self, number: int, of: int, metrics: Mapping[str, float]) -> None:
        """An epoch ended."""

    def warn(self, line: str) -> None:
        """Something is wrong with the net, in plain words."""


def search(
    name: str,
    config: Search,
    notes: Notes,
    *,
    seed: int,
    database: Path,
    tracker: Tracker,
    observer: Observer,
) -> Best:
    """Run trials until the study has enough; call again to go on after an interruption.

    Parameters
    ----------
    name : str
        Of the study; anything that makes trials incomparable is part of it.
    config : Search
        Space and length.
    notes : Notes
        What trials work on.
    seed : int
        Same seed, same trials.
    database : Path
        SQLite file of the studies.
    tracker : Tracker
        Gets a run per study and per trial.
    observer : Observer
        Told how it goes.

    Returns
    -------
    Best
        The best finished trial.
    """
    study = open_study(name, database, config.warmup_checks * config.check_every)
    tracker.reap()
    with _study_run(tracker, name, config) as study_run:
        for trial in ask_until(study, config.trials, seed):
            observer.trial(len(finished(study)) + 1, config.trials, name)
            one = _Trial(config, notes, tracker, study_run, observer)
            run_trial(study, trial, one)
        best = _best(study, config)
        study_run.metrics({"best.score": best.score, "trials": len(best.trials)})
        study_run.tag({"notedecay.best_trial": best.run_name})
        study_run.table(best.trials, "trials.csv")
    return best


def _study_run(tracker: Tracker, name: str, config: Search) -> Any:
    earlier = tracker.find("notedecay.study", name, "study")
    if earlier is not None:
        return tracker.resume(earlier.info.run_id)
    params = {"trials": config.trials, "epochs": config.epochs}
    shown = f"search {tracker.instrument}"
    return tracker.run(shown, "study", params=params, tags={"notedecay.study": name})


def _run_name(number: int, continuator: str) -> str:
    return f"trial {number} {continuator}"


class _Trial:
    """One trial: suggest, fit while listening, judge on seen and unseen notes."""

    def __init__(
        self,
        config: Search,
        notes: Notes,
        tracker: Tracker,
        study_run: ActiveRun,
        observer: Observer,
    ) -> None:
        self.config = config
        self.notes = notes
        self.tracker = tracker
        self.study_run = study_run
        self.observer = observer

    def __call__(self, trial: optuna.Trial) -> float:
        name, settings = suggest(trial, self.config.spaces)
        number = len(finished(trial.study))  # the study's own number counts killed trials too
        with self.tracker.run(
            _run_name(number, name),
            "trial",
            params={"continuator": name, **settings},
            tags={"notedecay.trial": str(number)},
            parent=self.study_run.id,
        ) as run:
            trial.set_user_attr("run_id", run.id)
            trial.set_user_attr("continuator", name)
            trial.set_user_attr("settings", settings)
            selected = self._run(trial, name, settings, run)
        if selected is None:
            return 0.0
        if selected.ended == "pruned":
            raise optuna.TrialPruned
        return selected.score

    def _run(
        self, trial: optuna.Trial, name: str, settings: dict[str, Any], run: ActiveRun
    ) -> Selected | None:
        """The best that the trial reached; None when it diverged before it could be heard."""
        with tempfile.TemporaryDirectory(prefix="notedecay-") as folder:
            try:
                selected = self._fit(trial, name, settings, run, Path(folder))
            except TrainingDiverged as error:
                run.tag({"notedecay.outcome": str(error)})
                return None
            self._log(selected, run)
        run.tag({"notedecay.outcome": selected.ended})
        return selected

    def _fit(
        self,
        trial: optuna.Trial,
        name: str,
        settings: dict[str, Any],
        run: ActiveRun,
        folder: Path,
    ) -> Selected:
        of = self.config.epochs

        def on_epoch(epoch: int, metrics: Mapping[str, float]) -> bool:
            run.metrics(metrics, epoch)
            self.observer.epoch(epoch, of, metrics)
            if "look.score" not in metrics:
                return False
            trial.report(metrics["look.score"], epoch)
            return epoch < of and trial.should_prune()

        continuator = create(name, self.notes.signal, {**settings, "epochs": of})
        return fit_selected(
            continuator,
            self.notes.train,
            self.notes.panels["validation"],
            check_every=self.config.check_every,
            seed=trial.user_attrs["seed"],
            device=self.config.device,
            folder=folder,
            on_epoch=on_epoch,
        )

    def _log(self, selected: Selected, run: ActiveRun) -> None:
        run.metrics({"kept.epoch": selected.epoch})
        verdict = {
            split: panel.judge(selected.continuator) for split, panel in self.notes.panels.items()
        }
        for split, judged in verdict.items():
            means = mean_scores([j.scores for j in judged])
            run.metrics({f"{split}.{measure}": value for measure, value in means.items()})
        log_listening(run, verdict, self.notes.listen, self.notes.signal.prime_samples)


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
    continuator = best.user_attrs["continuator"]
    run_name = _run_name(counted.index(best), continuator)
    return Best(continuator, settings, best.value or 0.0, run_name, rows)
