"""Doing a job: learn, listen, judge, and leave a folder.

Neither tracking nor search is needed here, so that a job runs on any machine with torch.
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

from notedecay.core.digests import code_digest, digest
from notedecay.core.files import readable, replacing, replacing_folder
from notedecay.data.clips import read_clips, write_clips
from notedecay.data.note import Clip
from notedecay.experiments.judging import judge
from notedecay.experiments.oracle import ORACLE, judge_oracle
from notedecay.experiments.trial import C5, DIAGNOSIS, LISTEN, LOOKS, MADE, RESULT, Job, unfinished
from notedecay.metrics import mean_scores
from notedecay.models import Continuator, create
from notedecay.models.recurrent.model import Blockwise
from notedecay.training import Epoch, TrainingDiverged, choose_device, fit
from notedecay.training.diagnostics.pictures import write_diagnosis
from notedecay.training.diagnostics.probe import Diagnosis
from notedecay.training.diagnostics.snapshots import read_snapshots as read_looks
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation, spread
from notedecay.training.listening import write_listening

LOOKED_AT = 12
"""How often a training is looked into: a column of the heat maps each."""

OnEpoch = Callable[[int, int], None]
"""Told an epoch and how many there are."""

Verdict = dict[str, list[ScoredContinuation]]


class _Series:
    """A number for each epoch, kept in a file over interruptions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.values: list[float] = []
        with readable(path):
            if path.exists():
                self.values = [float(value) for value in json.loads(path.read_text())]

    def put(self, epoch: int, value: float) -> None:
        """Set an epoch's number; those of later epochs, which are done once more, are dropped."""
        self.values[epoch - 1 :] = [value]
        with replacing(self._path) as path:
            path.write_text(json.dumps(self.values))


class _Clock:
    """How long a job takes, what it did before interruptions included."""

    def __init__(self, folder: Path) -> None:
        self._epochs = _Series(folder / "seconds.json")
        self._last = time.perf_counter()

    def epoch(self, number: int) -> None:
        """Note that an epoch has ended."""
        before, self._last = self._last, time.perf_counter()
        self._epochs.put(number, self._last - before)

    def seconds(self) -> float:
        """All until now (s)."""
        return sum(self._epochs.values) + time.perf_counter() - self._last


@dataclass(frozen=True)
class _Run:
    """Where a job runs, how long, and who is told."""

    device: str
    clock: _Clock
    on_epoch: OnEpoch


def work(job: Job, folder: Path, device: str, on_epoch: OnEpoch) -> None:
    """Do a job; go on where it was interrupted.

    Parameters
    ----------
    job : Job
        What to do.
    folder : Path
        Gets ``result.json``, ``made.npz`` (the continuations of the unseen notes) and, if the
        job is to be illustrated, ``listen/`` and ``diagnosis/``; whole or not at all.
        Checkpoints lie beside it until it is there.
    device : str
        As of :func:`notedecay.training.fit`.
    on_epoch : callable
        Told the progress.

    Raises
    ------
    UserError
        For notes that do not suit.
    """
    progress = unfinished(folder)
    clock = _Clock(progress)
    clips = {clip.id: clip for clip in read_clips(job.clips)}
    panels = {
        name: EvaluationSet([clips[id_] for id_ in ids], job.signal.prime_samples)
        for name, ids in (("seen", job.seen), ("unseen", job.unseen))
        if ids
    }
    if job.continuator == ORACLE:
        result: dict[str, Any] = {"ended": "complete", "device": "cpu"}
        verdict = {name: judge_oracle(panel) for name, panel in panels.items()}
    else:
        continuator = create(job.continuator, job.signal, job.settings)
        result = _fitted(continuator, job, clips, progress, _Run(device, clock, on_epoch))
        result["teacher_forced"] = _teacher_forced(continuator, panels)
        both = {n: judge(continuator, p, job.judged_highpass_hz) for n, p in panels.items()}
        panels = {name: panel for name, (panel, _) in both.items()}
        verdict = {name: judged for name, (_, judged) in both.items()}
    result |= _judged(verdict, panels)
    result["code"] = code()
    result["clips"] = digest(job.clips)
    result |= {"machine": _machine(), "seconds": round(clock.seconds(), 1)}
    with replacing_folder(folder) as fresh:
        (fresh / RESULT).write_text(json.dumps(_plain(result), indent=1, allow_nan=False) + "\n")
        made = [replace(item.clip, samples=item.continuation) for item in verdict["unseen"]]
        write_clips(made, fresh / MADE)
        if job.illustrated:
            _illustrate(verdict, job.signal.prime_samples, progress, fresh)
    shutil.rmtree(progress, ignore_errors=True)


def _fitted(
    continuator: Continuator[Any],
    job: Job,
    clips: Mapping[str, Clip],
    progress: Path,
    run: _Run,
) -> dict[str, Any]:
    """Train what learns; say how it went."""
    if not continuator.learned:
        return {"ended": "complete", "device": "cpu"}
    learned = [_padded(clips[id_], job.padded_seconds) for id_ in job.learned]
    return _learn(continuator, job, learned, progress, run)


def _teacher_forced(
    continuator: Continuator[Any], panels: Mapping[str, EvaluationSet]
) -> dict[str, float] | None:
    if not isinstance(continuator, Blockwise):
        return None
    return {name: continuator.teacher_forced_error(p.clips) for name, p in panels.items()}


def _judged(verdict: Verdict, panels: Mapping[str, EvaluationSet]) -> dict[str, Any]:
    return {
        "figures": {name: _figures(verdict[name], panels[name]) for name in panels},
        "notes": {name: _notes(judged) for name, judged in verdict.items()},
        "partials": [asdict(p) for p in panels["unseen"].partials(verdict["unseen"])],
    }


def _illustrate(verdict: Verdict, prime_samples: int, progress: Path, folder: Path) -> None:
    """Leave something to listen to, and how the training went."""
    for name, judged in verdict.items():
        write_listening(heard(judged), prime_samples, folder / LISTEN / name)
    if looks := read_looks(progress / LOOKS):
        (folder / DIAGNOSIS).mkdir()
        write_diagnosis(looks, folder / DIAGNOSIS)


def heard(judged: Sequence[ScoredContinuation]) -> list[ScoredContinuation]:
    """The notes that are kept to listen to: C5 where it is there, and two others."""
    ids = {clip.id for clip in spread([item.clip for item in judged], 2)}
    first_c5 = next((item.clip.id for item in judged if item.clip.pitch == C5), None)
    return [item for item in judged if item.clip.id in ids | {first_c5}]


def _learn(
    continuator: Continuator[Any], job: Job, clips: Sequence[Clip], folder: Path, run: _Run
) -> dict[str, Any]:
    """Train, and say how it went; a training that diverged is a result too."""
    losses = _Series(folder / "losses.json")
    every = max(1, continuator.config.epochs // LOOKED_AT)
    diagnosis = Diagnosis(continuator, clips, every=every, path=folder / LOOKS)

    def report(epoch: Epoch) -> None:
        if job.illustrated:
            diagnosis(epoch)
        losses.put(epoch.number, epoch.metrics["train_loss"])
        run.clock.epoch(epoch.number)
        run.on_epoch(epoch.number, epoch.of)

    ended = "complete"
    try:
        fit(
            continuator,
            clips,
            seed=job.seed,
            device=run.device,
            report=report,
            checkpoint=folder,
            every=10,
        )
    except TrainingDiverged as error:
        ended = str(error)
    device = str(choose_device(run.device))
    return {
        "ended": ended, "losses": losses.values, "device": device,
        "warnings": diagnosis.warnings() if job.illustrated else None,
    }  # fmt: skip


def _padded(clip: Clip, seconds: float | None) -> Clip:
    if seconds is None:
        return clip
    missing = max(0, round(seconds * clip.rate) - len(clip.samples))
    return replace(clip, samples=np.pad(clip.samples, (0, missing)))


def _figures(judged: Sequence[ScoredContinuation], panel: EvaluationSet) -> dict[str, float]:
    return mean_scores([j.scores for j in judged]) | {"attractor": panel.attractor(judged)}


def _notes(judged: Sequence[ScoredContinuation]) -> list[dict[str, Any]]:
    return [
        {"note": item.clip.id, "pitch": item.clip.pitch, **asdict(item.scores)} for item in judged
    ]


def _plain(value: Any) -> Any:
    """Numbers short, and null for what has no value, since NaN is not JSON."""
    if isinstance(value, float):
        return None if not np.isfinite(value) else float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def code() -> str:
    """Hash of all code that a result depends on."""
    return code_digest("metrics", "models", "experiments", "training")


def _machine() -> str:
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{platform.machine()}, Python {platform.python_version()}{gpu}"
