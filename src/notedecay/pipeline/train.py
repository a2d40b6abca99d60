"""Stage ``train``: the best configuration, trained in full."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notedecay.core.config import Params, Train
from notedecay.core.files import replacing_folder
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.dataset import Dataset, load_dataset
from notedecay.experiments.search.objective import Observer
from notedecay.experiments.search.study import study_name
from notedecay.models import create
from notedecay.pipeline.tracked import tracker_of
from notedecay.tracking.diagnosis import log_diagnosis
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.diagnostics.probe import Diagnosis
from notedecay.training.selection import Selected, fit_selected

RUN_TAG = "notedecay.training"


def run_train(project: Project, params: Params, instrument: str, observer: Observer) -> str:
    """Write ``model/``, ``train.json`` (the run) and the curves; go on where it was killed.

    Parameters
    ----------
    project : Project
        Where results lie.
    params : Params
        Validated.
    instrument : str
        Which one.
    observer : Observer
        Told how it goes.

    Returns
    -------
    str
        What was trained, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    material = load_dataset(results, instrument, params)
    found = read_json(results / "best.json")
    name, settings = found["continuator"], {**found["settings"], "epochs": config.train.epochs}
    key = study_name(
        instrument, best=found, train=config.train.model_dump(exclude={"device"}),
        material=material.identity("metrics", "models", "training"), seed=params.seed,
    )  # fmt: skip
    folder = project.mlruns / "checkpoints" / key
    tracker = tracker_of("train", project, params, instrument, material.path)
    with _run(tracker, key, name, settings, resume=folder.exists()) as run:
        observer.trial(1, 1, f"{name} ({instrument})")
        selected = _train(
            material, name, settings, config.train, params.seed, folder, run, observer
        )
        run.metrics({"kept.epoch": selected.epoch})
    with replacing_folder(results / "model") as model:
        selected.continuator.save(model)
    _write_history(selected, results)
    write_json({"run_id": run.id, "epoch": selected.epoch}, results / "train.json")
    shutil.rmtree(folder)
    return f"{name}: epoch {selected.epoch} is kept, validation {selected.score:.3f}"


def _write_history(selected: Selected, results: Path) -> None:
    """Two curves, for ``dvc plots``: the loss of each epoch, the score of each look."""
    losses = [{k: row[k] for k in ("epoch", "train_loss", "grad_norm")} for row in selected.history]
    looks = [
        {"epoch": row["epoch"], "score": row["look.score"]}
        for row in selected.history
        if "look.score" in row
    ]
    write_rows(losses, results / "training.csv")
    write_rows(looks, results / "validation.csv")


def _run(tracker: Tracker, key: str, name: str, settings: dict[str, Any], *, resume: bool) -> Any:
    earlier = tracker.find(RUN_TAG, key, "train") if resume else None
    if earlier is not None:
        return tracker.resume(earlier.info.run_id)
    params = {"continuator": name, **settings}
    return tracker.run(f"train {name}", "train", params=params, tags={RUN_TAG: key})


def _train(
    material: Dataset,
    name: str,
    settings: dict[str, Any],
    config: Train,
    seed: int,
    folder: Path,
    run: ActiveRun,
    observer: Observer,
) -> Selected:
    sent = run.steps("train_loss")
    continuator, notes = create(name, material.signal, settings), material.part("train")
    diagnosis = Diagnosis(
        continuator, notes, every=config.check_every, path=folder / "diagnosis.json"
    )

    def send(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch not in sent:
            sent.add(epoch)
            run.metrics(metrics, epoch)

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> bool:
        send(epoch, metrics)
        diagnosis.after(epoch, config.epochs)
        observer.epoch(epoch, config.epochs, metrics)
        return False

    selected = fit_selected(
        continuator,
        notes,
        material.panel(material.part("validation")),
        check_every=config.check_every,
        seed=seed,
        device=config.device,
        folder=folder,
        on_epoch=on_epoch,
    )
    for row in selected.history:  # a killed process takes along what it had not sent
        send(int(row["epoch"]), {k: v for k, v in row.items() if k != "epoch"})
    log_diagnosis(run, diagnosis.snapshots)
    for line in diagnosis.warnings():
        observer.warn(line)
    return selected
