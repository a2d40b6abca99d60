"""Stage ``train``: full training of the best configuration of the search."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from notedecay.core.config import Instrument, Params
from notedecay.core.files import replacing_folder
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.dataset import Dataset, load_dataset
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.serial import SerialRunner
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import MODEL, Artifacts, Trial
from notedecay.pipeline.tracked import tracker_of
from notedecay.training.fit import TrainingDiverged
from notedecay.training.selection import CHECKPOINT_SCORE


def run_train(project: Project, params: Params, instrument: str, bars: TrialBars) -> str:
    """Write ``model/``, ``train.json`` (run and epoch) and two curves; resume if interrupted.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Validated.
    instrument : str
        Its name.
    bars : TrialBars
        Draws the progress.

    Returns
    -------
    str
        Model, selected epoch and score, in one line.

    Raises
    ------
    UserError
        As :func:`notedecay.experiments.execute.execute`, and for a training that diverged
        before its first evaluation.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    dataset = load_dataset(results, instrument, params)
    best = read_json(results / "best.json")
    trial = trial_of(dataset, best["model"], best["settings"], config, params.seed)
    store = TrialStore(project.trials)
    tracker = tracker_of("train", project, params, instrument, dataset.path)
    runs: list[str] = []
    run_trials(
        [Listed(trial, f"train {trial.model}")],
        SerialRunner(store, config.train.device),
        store,
        TrialSink(tracker, "train", instrument),
        bars,
        on_result=lambda _, __, run_id: runs.append(run_id),
    )
    result = store.result(trial)
    if result["score"] is None:
        raise TrainingDiverged(result["ended"])
    with replacing_folder(results / "model") as model:
        shutil.copytree(store.folder(trial) / MODEL, model, dirs_exist_ok=True)
    _write_history(result["history"], results)
    write_json({"run_id": runs[0], "epoch": result["epoch"]}, results / "train.json")
    for line in result["warnings"]:
        bars.warn(line)
    return f"{trial.model}: epoch {result['epoch']} is selected, validation {result['score']:.3f}"


def trial_of(
    dataset: Dataset, model: str, settings: Mapping[str, Any], config: Instrument, seed: int
) -> Trial:
    """The training of a champion, as a trial.

    Parameters
    ----------
    dataset : Dataset
        Its train notes train the model, its validation notes select the epoch.
    model : str
        Name of the model.
    settings : mapping
        As the search found them.
    config : Instrument
        Length, and number of validation notes.
    seed : int
        Of the pipeline.
    """
    return Trial(
        model=model,
        settings={**settings, "epochs": config.train.epochs},
        signal=dataset.signal,
        clips=dataset.path,
        train=dataset.ids("train"),
        validation=dataset.checkpoint_ids(config.evaluate.checkpoint_notes),
        evaluation={},
        seed=seed,
        check_every=config.train.check_every,
        artifacts=Artifacts(diagnose_every=config.train.check_every, model=True),
    )


def _write_history(history: Sequence[Mapping[str, Any]], results: Path) -> None:
    """Write two curves for ``dvc plots``: the loss of each epoch, the score of each checkpoint."""
    losses = [{k: row[k] for k in ("epoch", "train_loss", "grad_norm")} for row in history]
    scores = [
        {"epoch": row["epoch"], "score": row[CHECKPOINT_SCORE]}
        for row in history
        if CHECKPOINT_SCORE in row
    ]
    write_rows(losses, results / "training.csv")
    write_rows(scores, results / "validation.csv")
