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
"""Told an epoch and its metrics (``validation.score`` after a look); True ends the fit."""


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


class _Keeper:
    """Keeps the best state and the history in a folder, so that both outlive a kill."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.best = folder / "best"
        self._log = folder / "history.json"
        self.history: list[dict[str, float]] = (
            json.loads(self._log.read_text()) if self._log.exists() else []
        )

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        earlier = [row for row in self.history if row["epoch"] < epoch]
        self.history = [*earlier, {"epoch": epoch, **metrics}]
        with replacing(self._log) as path:
            path.write_text(json.dumps(self.history))

    def looks(self) -> list[dict[str, float]]:
        return [row for row in self.history if "validation.score" in row]

    def keep(self, continuator: Continuator[Any]) -> None:
        with replacing_folder(self.best) as folder:
            continuator.save(folder)


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
    keeper = _Keeper(folder)

    def listen(epoch: Epoch) -> None:
        metrics = dict(epoch.metrics)
        if epoch.number % check_every == 0 or epoch.number == epoch.of:
            means = _score(continuator, panel)
            metrics |= {f"validation.{name}": value for name, value in means.items()}
            if all(means["score"] > row["validation.score"] for row in keeper.looks()):
                keeper.keep(continuator)
        keeper.add(epoch.number, metrics)
        if on_epoch(epoch.number, metrics):
            raise _PrunedError

    try:
        fit(
            continuator,
            clips,
            seed=seed,
            device=device,
            report=listen,
            checkpoint=folder / "checkpoint",
        )
        ended = "complete"
    except _PrunedError:
        ended = "pruned"
    except TrainingDiverged as error:
        if not keeper.looks():
            raise
        ended = str(error)
    best = max(keeper.looks(), key=lambda row: (row["validation.score"], -row["epoch"]))
    return Selected(
        load(keeper.best), int(best["epoch"]), best["validation.score"], keeper.history, ended
    )


def _score(continuator: Continuator[Any], panel: Panel) -> dict[str, float]:
    return mean_scores([judged.scores for judged in panel.judge(continuator)])
