"""Training with selection: keep the last epoch that continues validation notes as well as the best.

Without validation notes the last epoch is kept, which is the procedure of the paper's authors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from notedecay.core.files import readable, replacing, replacing_folder
from notedecay.data.note import Clip
from notedecay.metrics import mean_scores
from notedecay.models import Continuator, load
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.fit import Epoch, TrainingDiverged, fit

STANDARD_ERRORS = 2.0
"""By how many standard errors an epoch may fall behind the best one and count as equally good."""

CHECKPOINT_SCORE = "checkpoint.score"
"""Metric of the epochs after which the validation notes were continued and scored."""

HISTORY = "history.json"
"""File with the metrics of each epoch and the validation scores."""

OnEpoch = Callable[[int, Mapping[str, float]], None]
"""Called with an epoch and its metrics (with :data:`CHECKPOINT_SCORE` after a checkpoint
evaluation)."""

Prunes = Callable[[Mapping[int, Sequence[float]]], bool]
"""Called after a checkpoint evaluation with the score of each validation note at all evaluations
so far, by epoch; returns whether to end the training."""

COMPLETE, PRUNED, OUT_OF_TIME = "complete", "pruned", "out of time"
"""How a training ended that did not diverge."""


@dataclass(frozen=True)
class Selected:
    """The result of a training.

    Attributes
    ----------
    model : Continuator
        As it was after ``epoch``.
    epoch : int
        From 1.
    score : float or None
        Mean score on the validation notes, 0..1; None where nothing was evaluated.
    history : list of dict
        Metrics of each epoch, with its number under ``epoch``.
    checkpoints : dict of int to list of float
        Score of each validation note, by the epoch of the evaluation.
    ended : str
        ``complete``, ``pruned``, ``out of time``, or why it diverged.
    """

    model: Continuator[Any]
    epoch: int
    score: float | None
    history: list[dict[str, float]]
    checkpoints: dict[int, list[float]]
    ended: str


class _EndedError(Exception):
    """The training ends before its last epoch."""


def select_epoch(scores: Mapping[int, Sequence[float]]) -> int:
    """Find the last epoch whose score is within chance of the best one.

    The best of many evaluations on few notes owes its lead to chance, and is often an early one.
    An epoch counts as equally good if its deficit, note by note, is no more than
    :data:`STANDARD_ERRORS` standard errors: the one-standard-error rule of Breiman et al.,
    "Classification and Regression Trees" (1984), paired and at about 95 %.

    Parameters
    ----------
    scores : mapping of int to sequence of float
        Score of each note, 0..1, by the number of the epoch; the same notes in each. A note
        without a score (NaN) counts as 0.

    Returns
    -------
    int
        An epoch.

    Examples
    --------
    The lead of epoch 6 rests on one note; that of epoch 12 on every note.

    >>> select_epoch({6: [0.9, 0.5, 0.5, 0.5], 18: [0.5, 0.6, 0.6, 0.6]})
    18
    >>> select_epoch({6: [0.3, 0.4, 0.5], 12: [0.6, 0.7, 0.8], 18: [0.5, 0.6, 0.71]})
    12
    """
    known = {epoch: np.nan_to_num(np.asarray(notes)) for epoch, notes in scores.items()}
    best = max(known, key=lambda epoch: (known[epoch].mean(), epoch))
    return max(epoch for epoch, notes in known.items() if _within_chance(known[best] - notes))


def _within_chance(deficit: npt.NDArray[np.float64]) -> bool:
    error = deficit.std() / max(1, len(deficit) - 1) ** 0.5
    return bool(deficit.mean() <= STANDARD_ERRORS * error)


class _Recorder:
    """Called after each epoch: keeps history and the selected epoch in a folder, over a kill."""

    def __init__(
        self,
        model: Continuator[Any],
        validation: EvaluationSet | None,
        check_every: int,
        seconds: float | None,
        folder: Path,
        on_epoch: OnEpoch,
        prunes: Prunes,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.model = model
        self.validation = validation
        self.check_every = check_every
        self.seconds = seconds
        self.on_epoch = on_epoch
        self.prunes = prunes
        self._selected = folder / "selected"
        self._log = folder / HISTORY
        with readable(self._log):
            log = json.loads(self._log.read_text()) if self._log.exists() else {}
            self.history: list[dict[str, float]] = [dict(row) for row in log.get("history", [])]
            self.scores = {int(epoch): list(s) for epoch, s in log.get("scores", {}).items()}

    def __call__(self, epoch: Epoch) -> None:
        self._forget(epoch.number)
        metrics = dict(epoch.metrics)
        last = epoch.number == epoch.of
        out_of_time = not last and self._is_out_of_time(metrics)
        if epoch.number % self.check_every == 0 or last or out_of_time:
            metrics |= self._evaluate(epoch.number)
        self.history.append({"epoch": epoch.number, **metrics})
        with replacing(self._log) as path:
            path.write_text(json.dumps({"history": self.history, "scores": self.scores}))
        self.on_epoch(epoch.number, metrics)
        if out_of_time:
            raise _EndedError(OUT_OF_TIME)
        if epoch.number in self.scores and not last and self.prunes(self.scores):
            raise _EndedError(PRUNED)

    def _is_out_of_time(self, metrics: Mapping[str, float]) -> bool:
        spent = sum(row["epoch_seconds"] for row in [*self.history, metrics])
        return self.seconds is not None and spent >= self.seconds

    def _forget(self, epoch: int) -> None:
        """Drop what was noted before a kill of epochs that are done again."""
        self.history = [row for row in self.history if row["epoch"] < epoch]
        self.scores = {number: notes for number, notes in self.scores.items() if number < epoch}

    def _evaluate(self, epoch: int) -> dict[str, float]:
        if self.validation is None:
            return {}
        scores = [scored.scores for scored in self.validation.evaluate(self.model)]
        self.scores[epoch] = [note.score for note in scores]
        if select_epoch(self.scores) == epoch:
            with replacing_folder(self._selected) as folder:
                self.model.save(folder)
        return {f"checkpoint.{name}": value for name, value in mean_scores(scores).items()}

    def selected(self, ended: str) -> Selected:
        if not self.scores:
            last = int(self.history[-1]["epoch"]) if self.history else 0
            return Selected(self.model, last, None, self.history, {}, ended)
        epoch = select_epoch(self.scores)
        score = float(np.nan_to_num(self.scores[epoch]).mean())
        model = load(self._selected)
        return Selected(model, epoch, score, self.history, self.scores, ended)


def train(
    model: Continuator[Any],
    clips: Sequence[Clip],
    validation: EvaluationSet | None,
    *,
    check_every: int,
    seed: int,
    device: str,
    folder: Path,
    on_epoch: OnEpoch,
    prunes: Prunes = lambda *_: False,
    seconds: float | None = None,
) -> Selected:
    """Train a model, evaluate it on validation notes every few epochs, return the selected epoch.

    Parameters
    ----------
    model : Continuator
        One that learns.
    clips : sequence of Clip
        Training notes.
    validation : EvaluationSet or None
        Validation notes; without any the last epoch is returned.
    check_every : int
        Epochs between two evaluations; the last epoch is always evaluated.
    seed : int
        The same seed gives the same result.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    folder : Path
        Holds checkpoints, the selected epoch and history: call again with the same folder to
        resume after an interruption.
    on_epoch : callable
        Gets each epoch's metrics.
    prunes : callable
        Gets the scores so far after each checkpoint evaluation but the last; returns whether to
        end the training.
    seconds : float, optional
        Longest training (s), the evaluations not counted; it ends after the epoch in which they
        are over.

    Returns
    -------
    Selected
        The epoch of :func:`select_epoch`, also of a training that was ended or diverged after
        the first evaluation. One that diverged before it is returned as it then was.
    """
    recorder = _Recorder(model, validation, check_every, seconds, folder, on_epoch, prunes)
    ended = COMPLETE
    try:
        fit(
            model,
            clips,
            seed=seed,
            device=device,
            report=recorder,
            checkpoint=folder / "checkpoint",
        )
    except _EndedError as error:
        ended = str(error)
    except TrainingDiverged as error:
        ended = str(error)
    return recorder.selected(ended)
