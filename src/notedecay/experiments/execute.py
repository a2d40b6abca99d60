"""Execute a trial: train a model, evaluate it, and write a folder of results.

Neither tracking nor search is imported, so that a trial runs on any machine with torch.
"""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from notedecay.core.files import replacing_folder
from notedecay.data.clips import read_clips, write_clips
from notedecay.data.note import Clip
from notedecay.experiments.cost import generation_cost
from notedecay.experiments.fingerprint import evaluation_code
from notedecay.experiments.scoring import Scored, evaluate, is_oracle, means, note_rows, plain
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import (
    CONTINUATIONS,
    DIAGNOSIS,
    LISTEN,
    MODEL,
    RESULT,
    SNAPSHOTS,
    UNSEEN,
    Trial,
)
from notedecay.models import Continuator, LearnedContinuator, create
from notedecay.models.note_cache import NoteCache
from notedecay.training.device import choose_device
from notedecay.training.diagnostics.pictures import write_diagnosis
from notedecay.training.diagnostics.probe import Diagnosis
from notedecay.training.diagnostics.snapshots import read_snapshots
from notedecay.training.evaluator import EvaluationSet
from notedecay.training.listening import write_listening
from notedecay.training.selection import Selected, train

OnEpoch = Callable[[int, int, Mapping[str, float]], None]
"""Called with an epoch, how many there are, and its metrics."""


@dataclass(frozen=True)
class _Notes:
    """Training notes and evaluation sets of a trial."""

    train: list[Clip]
    validation: EvaluationSet | None
    sets: dict[str, EvaluationSet]


def execute(trial: Trial, store: TrialStore, device: str, on_epoch: OnEpoch) -> None:
    """Run a trial that is not finished yet; resume one that was interrupted.

    The store gets a folder with ``result.json``, ``continuations.npz`` (of the unseen notes) and
    the artifacts that the trial asks for, complete or not at all. A training that diverges or is
    pruned has a result too.

    Parameters
    ----------
    trial : Trial
        What to run.
    store : TrialStore
        Gets the folder.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    on_epoch : callable
        Called after each epoch of training.

    Raises
    ------
    UserError
        For notes that the model cannot use, or a device that does not exist.
    """
    with store.locked(trial):
        if store.has(trial):
            return
        began, progress = time.perf_counter(), store.unfinished(trial)
        earlier = sum(float(row["epoch_seconds"]) for row in store.history(trial))
        notes = _notes(trial)
        cache = NoteCache(store.targets)
        model, result = _trained(trial, notes, cache, progress, device, on_epoch)
        sets, scored = _evaluated(model, trial, notes.sets)
        result |= _figures(scored, sets)
        result["teacher_forced"] = _teacher_forced(model, notes.sets)
        result["cost"] = _cost(model, notes.sets)
        result["seconds"] = round(earlier + time.perf_counter() - began, 1)
        with replacing_folder(store.folder(trial)) as fresh:
            text = json.dumps(plain(result), indent=1, allow_nan=False)
            (fresh / RESULT).write_text(text + "\n", encoding="utf-8")
            _leave_artifacts(trial, model, result, scored, progress, fresh)
        shutil.rmtree(progress, ignore_errors=True)


def _notes(trial: Trial) -> _Notes:
    clips = {clip.id: clip for clip in read_clips(trial.clips)}

    def evaluation_set(ids: Sequence[str]) -> EvaluationSet:
        return EvaluationSet([clips[id_] for id_ in ids], trial.signal.prime_samples)

    return _Notes(
        [_padded(clips[id_], trial.padded_seconds) for id_ in trial.train],
        evaluation_set(trial.validation) if trial.validation else None,
        {name: evaluation_set(ids) for name, ids in trial.evaluation.items() if ids},
    )


def _padded(clip: Clip, seconds: float | None) -> Clip:
    if seconds is None:
        return clip
    missing = max(0, round(seconds * clip.rate) - len(clip.samples))
    return replace(clip, samples=np.pad(clip.samples, (0, missing)))


def _trained(
    trial: Trial,
    notes: _Notes,
    cache: NoteCache,
    progress: Path,
    device: str,
    on_epoch: OnEpoch,
) -> tuple[Continuator[Any] | None, dict[str, Any]]:
    """The model of a trial, trained if it can be, and the record of its training."""
    result: dict[str, Any] = {
        "fingerprint": trial.fingerprint,
        "code": evaluation_code(),
        "machine": _machine(),
        "device": "cpu",
        "ended": "complete",
        "epoch": None,
        "score": None,
        "history": [],
        "checkpoints": {},
        "warnings": None,
    }
    if is_oracle(trial.model):
        return None, result
    model = create(trial.model, trial.signal, trial.settings)
    if not isinstance(model, LearnedContinuator):
        return model, result
    model.cache = cache
    selected, warnings = _train(model, trial, notes, progress, device, on_epoch)
    result |= {
        "ended": selected.ended, "device": str(choose_device(device)), "epoch": selected.epoch,
        "score": selected.score, "history": selected.history,
        "checkpoints": selected.checkpoints, "warnings": warnings,
    }  # fmt: skip
    return selected.model, result


def _train(
    model: Continuator[Any],
    trial: Trial,
    notes: _Notes,
    progress: Path,
    device: str,
    on_epoch: OnEpoch,
) -> tuple[Selected, list[str] | None]:
    every, of = trial.artifacts.diagnose_every, int(model.config.epochs)
    diagnosis = Diagnosis(model, notes.train, every=every or of, path=progress / SNAPSHOTS)

    def after(epoch: int, metrics: Mapping[str, float]) -> None:
        if every:
            diagnosis.after(epoch, of)
        on_epoch(epoch, of, metrics)

    selected = train(
        model,
        notes.train,
        notes.validation,
        check_every=trial.check_every,
        seed=trial.seed,
        device=device,
        folder=progress,
        on_epoch=after,
        prunes=trial.prune.ends if trial.prune else lambda *_: False,
        seconds=trial.seconds,
    )
    return selected, diagnosis.warnings() if every else None


def _evaluated(
    model: Continuator[Any] | None, trial: Trial, sets: Mapping[str, EvaluationSet]
) -> tuple[dict[str, EvaluationSet], Scored]:
    both = {
        name: evaluate(model, notes, trial.evaluation_highpass_hz) for name, notes in sets.items()
    }
    return {n: notes for n, (notes, _) in both.items()}, {n: s for n, (_, s) in both.items()}


def _figures(scored: Scored, sets: Mapping[str, EvaluationSet]) -> dict[str, Any]:
    return {
        "figures": {name: means(scored[name], sets[name]) for name in sets},
        "notes": {name: note_rows(items) for name, items in scored.items()},
        "partials": {
            name: [asdict(partial) for partial in sets[name].partials(items)]
            for name, items in scored.items()
        },
    }


def _teacher_forced(
    model: Continuator[Any] | None, sets: Mapping[str, EvaluationSet]
) -> dict[str, float] | None:
    """Error of the next block after true blocks, for a model that predicts blocks."""
    if model is None:
        return None
    errors = {name: model.teacher_forced_error(notes.clips) for name, notes in sets.items()}
    return {name: error for name, error in errors.items() if error is not None} or None


def _cost(model: Continuator[Any] | None, sets: Mapping[str, EvaluationSet]) -> float | None:
    """CPU time per second of generated sound on the last evaluation set."""
    if model is None or not sets:
        return None
    return generation_cost(model, list(sets.values())[-1])


def _leave_artifacts(
    trial: Trial,
    model: Continuator[Any] | None,
    result: Mapping[str, Any],
    scored: Scored,
    progress: Path,
    folder: Path,
) -> None:
    if UNSEEN in scored:
        made = [replace(item.clip, samples=item.continuation) for item in scored[UNSEEN]]
        write_clips(made, folder / CONTINUATIONS)
    if wanted := trial.artifacts.listen:
        (folder / LISTEN).mkdir()
        for name, items in scored.items():
            few = [item for item in items if item.clip.id in wanted]
            write_listening(few, trial.signal.prime_samples, folder / LISTEN / name)
    if trial.artifacts.diagnose_every:
        (folder / DIAGNOSIS).mkdir()
        if snapshots := read_snapshots(progress / SNAPSHOTS):
            write_diagnosis(snapshots, folder / DIAGNOSIS)
    diverged = result["score"] is None and trial.validation
    if trial.artifacts.model and model is not None and not diverged:
        (folder / MODEL).mkdir()
        model.save(folder / MODEL)


def _machine() -> str:
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{platform.machine()}, Python {platform.python_version()}{gpu}"
