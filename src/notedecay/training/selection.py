"""Fit while listening: keep the last epoch that continues unseen notes as well as the best."""

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

BY_CHANCE = 2.0
"""Standard errors by which one state may fall behind another, and yet be as good."""
OnEpoch = Callable[[int, Mapping[str, float]], bool]
"""Told an epoch and its metrics (``look.score`` after a look); True ends the fit."""


@dataclass(frozen=True)
class Selected:
    """The state of a training that was kept.

    Attributes
    ----------
    continuator : Continuator
        As it was after ``epoch``.
    epoch : int
        From 1.
    score : float
        Mean score on the validation notes, 0..1.
    history : list of dict
        Metrics of each epoch, with its number under ``epoch``.
    ended : str
        ``complete``, ``pruned``, or why it diverged.
    """

    continuator: Continuator[Any]
    epoch: int
    score: float
    history: list[dict[str, float]]
    ended: str


class _PrunedError(Exception):
    """The one who listens has heard enough."""


def kept_look(looks: Mapping[int, Sequence[float]]) -> int:
    """The last look that is as good as the best one, as far as so few notes can tell.

    The best of many looks at a few notes owes its lead to chance, and is often an early one.
    As good is one that lacks no more than :data:`BY_CHANCE` standard errors of what it lacks
    note by note: the one-standard-error rule of Breiman et al., "Classification and Regression
    Trees" (1984), in pairs and at about 95 %.

    Parameters
    ----------
    looks : mapping of int to sequence of float
        Score of each note, 0..1, by the number of the epoch; the same notes in each.

    Returns
    -------
    int
        An epoch.
    """
    scores = {epoch: np.asarray(notes) for epoch, notes in looks.items()}
    best = max(scores, key=lambda epoch: (scores[epoch].mean(), epoch))
    return max(epoch for epoch, notes in scores.items() if _by_chance(scores[best] - notes))


def _by_chance(lack: npt.NDArray[np.float64]) -> bool:
    return bool(lack.mean() <= BY_CHANCE * lack.std() / max(1, len(lack) - 1) ** 0.5)


class _Listener:
    """Told each epoch; keeps history and a state in a folder, so that both outlive a kill."""

    def __init__(
        self,
        continuator: Continuator[Any],
        panel: EvaluationSet,
        check_every: int,
        folder: Path,
        on_epoch: OnEpoch,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.continuator = continuator
        self.panel = panel
        self.check_every = check_every
        self.on_epoch = on_epoch
        self._kept = folder / "kept"
        self._log = folder / "history.json"
        with readable(self._log):
            log = json.loads(self._log.read_text()) if self._log.exists() else {}
            self.history: list[dict[str, float]] = [dict(row) for row in log.get("history", [])]
            self.looks = {int(epoch): list(notes) for epoch, notes in log.get("looks", {}).items()}

    def __call__(self, epoch: Epoch) -> None:
        self._forget(epoch.number)
        metrics = dict(epoch.metrics)
        if epoch.number % self.check_every == 0 or epoch.number == epoch.of:
            metrics |= self._look(epoch.number)
        self.history.append({"epoch": epoch.number, **metrics})
        with replacing(self._log) as path:
            path.write_text(json.dumps({"history": self.history, "looks": self.looks}))
        if self.on_epoch(epoch.number, metrics):
            raise _PrunedError

    def _forget(self, epoch: int) -> None:
        """Drop what was noted before a kill of epochs that are done again."""
        self.history = [row for row in self.history if row["epoch"] < epoch]
        self.looks = {number: notes for number, notes in self.looks.items() if number < epoch}

    def _look(self, epoch: int) -> dict[str, float]:
        scores = [judged.scores for judged in self.panel.judge(self.continuator)]
        self.looks[epoch] = [note.score for note in scores]
        if kept_look(self.looks) == epoch:
            with replacing_folder(self._kept) as folder:
                self.continuator.save(folder)
        return {f"look.{name}": value for name, value in mean_scores(scores).items()}

    def selected(self, ended: str) -> Selected:
        epoch = kept_look(self.looks)
        score = float(np.mean(self.looks[epoch]))
        return Selected(load(self._kept), epoch, score, self.history, ended)


def fit_selected(
    continuator: Continuator[Any],
    clips: Sequence[Clip],
    panel: EvaluationSet,
    *,
    check_every: int,
    seed: int,
    device: str,
    folder: Path,
    on_epoch: OnEpoch,
) -> Selected:
    """Fit, judge free-running on a panel every few epochs, return a state that did well.

    Parameters
    ----------
    continuator : Continuator
        One that learns.
    clips : sequence of Clip
        Training notes.
    panel : EvaluationSet
        Validation notes.
    check_every : int
        Epochs between two looks; the last epoch is always looked at.
    seed : int
        Same seed, same result.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    folder : Path
        Holds checkpoints, the kept state and history: call again with the same folder to go on
        after an interruption.
    on_epoch : callable
        Told each epoch's metrics; True ends the fit.

    Returns
    -------
    Selected
        The epoch of :func:`kept_look`, also of a fit that was ended or diverged after its
        first look.

    Raises
    ------
    TrainingDiverged
        Before the first look.
    """
    listener = _Listener(continuator, panel, check_every, folder, on_epoch)
    ended = "complete"
    try:
        fit(
            continuator,
            clips,
            seed=seed,
            device=device,
            report=listener,
            checkpoint=folder / "checkpoint",
        )
    except _PrunedError:
        ended = "pruned"
    except TrainingDiverged as error:
        if not listener.looks:
            raise
        ended = str(error)
    return listener.selected(ended)
