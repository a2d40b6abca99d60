"""Fit while listening: keep the epoch that continues unseen notes best."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.analysis import mean_scores
from notedecay.continuators import Continuator, load
from notedecay.files import replacing, replacing_folder
from notedecay.notes.note import Clip
from notedecay.training.fit import Epoch, TrainingDiverged, fit
from notedecay.training.panel import Panel

OnEpoch = Callable[[int, Mapping[str, float]], bool]
"""Told an epoch and its metrics (``look.score`` after a look); True ends the fit."""


@dataclass(frozen=True)
class Selected:
    """The best state of a training.

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


class _Listener:
    """Told each epoch; keeps history and best state in a folder, so that both outlive a kill."""

    def __init__(
        self,
        continuator: Continuator[Any],
        panel: Panel,
        check_every: int,
        folder: Path,
        on_epoch: OnEpoch,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.continuator = continuator
        self.panel = panel
        self.check_every = check_every
        self.on_epoch = on_epoch
        self._best = folder / "best"
        self._log = folder / "history.json"
        self.history: list[dict[str, float]] = (
            json.loads(self._log.read_text()) if self._log.exists() else []
        )

    def __call__(self, epoch: Epoch) -> None:
        metrics = dict(epoch.metrics)
        if epoch.number % self.check_every == 0 or epoch.number == epoch.of:
            metrics |= self._look()
        earlier = [row for row in self.history if row["epoch"] < epoch.number]
        self.history = [*earlier, {"epoch": epoch.number, **metrics}]
        with replacing(self._log) as path:
            path.write_text(json.dumps(self.history))
        if self.on_epoch(epoch.number, metrics):
            raise _PrunedError

    def _look(self) -> dict[str, float]:
        means = mean_scores([judged.scores for judged in self.panel.judge(self.continuator)])
        if all(means["score"] > row["look.score"] for row in self.looks()):
            with replacing_folder(self._best) as folder:
                self.continuator.save(folder)
        return {f"look.{name}": value for name, value in means.items()}

    def looks(self) -> list[dict[str, float]]:
        return [row for row in self.history if "look.score" in row]

    def selected(self, ended: str) -> Selected:
        best = max(self.looks(), key=lambda row: (row["look.score"], -row["epoch"]))
        score = best["look.score"]
        return Selected(load(self._best), int(best["epoch"]), score, self.history, ended)


def fit_selected(
    continuator: Continuator[Any],
    clips: Sequence[Clip],
    panel: Panel,
    *,
    check_every: int,
    seed: int,
    device: str,
    folder: Path,
    on_epoch: OnEpoch,
) -> Selected:
    """Fit, judge free-running on a panel every few epochs, return the best state.

    Parameters
    ----------
    continuator : Continuator
        One that learns.
    clips : sequence of Clip
        Training notes.
    panel : Panel
        Validation notes.
    check_every : int
        Epochs between two looks; the last epoch is always looked at.
    seed : int
        Same seed, same result.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    folder : Path
        Holds checkpoints, best state and history: call again with the same folder to go on
        after an interruption.
    on_epoch : callable
        Told each epoch's metrics; True ends the fit.

    Returns
    -------
    Selected
        The epoch with the highest mean score on the panel, also of a fit that was ended or
        diverged after its first look.

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
        if not listener.looks():
            raise
        ended = str(error)
    return listener.selected(ended)
