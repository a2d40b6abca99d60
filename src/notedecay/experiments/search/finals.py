"""The trials of the final choice: each finalist on each fold of the train and validation notes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial

from notedecay.core.config import Search
from notedecay.data.folds import Fold, folds
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.trial import UNSEEN, Trial


def name_of(trial: FrozenTrial) -> str:
    """Name of a finished trial of a search."""
    return trial_name(trial.user_attrs["slot"], trial.user_attrs["model"])


def trial_name(slot: int, model: str) -> str:
    """Name of a trial of a search, and of its run: its slot and model."""
    return f"trial {slot} {model}"


def fold_trials(
    finalists: Sequence[FrozenTrial],
    dataset: Dataset,
    config: Search,
    *,
    count: int,
    validation: float,
    seed: int,
) -> dict[str, list[Trial]]:
    """List the trainings that the final choice needs.

    The train and validation notes are divided by pitch; all takes of a pitch are in one fold. Each
    finalist is trained on the rest of every fold, of which a part selects the epoch, and is scored
    on the fold. Test notes are in no fold.

    Parameters
    ----------
    finalists : sequence of FrozenTrial
        Of the search.
    dataset : Dataset
        Of the instrument.
    config : Search
        Epochs and evaluations of a trial.
    count : int
        Of folds; fewer where there are not two pitches for each.
    validation : float
        Share of the pitches that select the epoch, 0..0.5.
    seed : int
        Of folds and trainings, the same for each finalist.

    Returns
    -------
    dict of str to list of Trial
        Trials by :func:`name_of` their finalist, one for each fold. They are scored on the
        evaluation set :data:`~notedecay.experiments.trial.UNSEEN`.

    Raises
    ------
    UserError
        Fewer than four pitches.
    """
    clips = dataset.only("train", "validation").clips
    pitches = {clip.pitch for clip in clips}
    divided = folds(clips, max(2, min(count, len(pitches) // 2)), seed, validation)
    return {
        name_of(one): [_trial(one, fold, dataset, config, seed) for fold in divided]
        for one in finalists
    }


def fold_scores(results: Sequence[Mapping[str, Any]]) -> list[float]:
    """Score of each note from the results of a finalist's trials, ordered by the notes' ids."""
    rows = [row for result in results for row in result["notes"][UNSEEN]]
    ordered = sorted(rows, key=lambda row: str(row["note"]))
    return [math.nan if row["score"] is None else float(row["score"]) for row in ordered]


def _trial(finalist: FrozenTrial, fold: Fold, dataset: Dataset, config: Search, seed: int) -> Trial:
    return Trial(
        model=finalist.user_attrs["model"],
        settings={**finalist.user_attrs["settings"], "epochs": config.epochs},
        signal=dataset.signal,
        clips=dataset.path,
        train=fold.train,
        validation=fold.validation,
        evaluation={UNSEEN: fold.unseen},
        seed=seed,
        check_every=config.check_every,
    )
