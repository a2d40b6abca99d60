"""One training of one experiment: learn, listen, judge, and leave a folder.

Neither tracking nor search is needed here, so that a job runs on any machine with torch.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from notedecay.analysis import mean_scores
from notedecay.continuators import Continuator, Signal, create
from notedecay.continuators.recurrent import Blockwise
from notedecay.files import replacing, replacing_folder
from notedecay.notes import prepared
from notedecay.notes.note import Clip
from notedecay.training import Epoch, TrainingDiverged, choose_device, fit
from notedecay.training.diagnosis import Diagnosis
from notedecay.training.diagnosis_pictures import write_diagnosis
from notedecay.training.listening import write_listening
from notedecay.training.looks import Look
from notedecay.training.looks import read as read_looks
from notedecay.training.oracle import ORACLE, judge_oracle
from notedecay.training.panel import Judged, Panel, spread
from notedecay.training.symptoms import symptoms

RESULT = "result.json"
LISTEN = "listen"
DIAGNOSIS = "diagnosis"

LOOKS = "looks.json"
LOOKED_AT = 12
"""How often a training is looked into: a column of the heat maps each."""

OnEpoch = Callable[[int, int], None]
"""Told an epoch and how many there are."""


@dataclass(frozen=True)
class Job:
    """All that a training depends on.

    Attributes
    ----------
    continuator : str
        One of ``CONTINUATORS``, or ``oracle``.
    settings : mapping
        Of the continuator.
    signal : Signal
        How it hears.
    clips : Path
        Its notes.
    learned, seen, unseen : tuple of str
        Ids of the notes that it learns from, and on which it is judged.
    padded_seconds : float or None
        Length to which the learned notes are filled up with silence, as the authors did (s).
    seed : int
        Of weights, order and noise.
    """

    continuator: str
    settings: Mapping[str, Any]
    signal: Signal
    clips: Path
    learned: tuple[str, ...]
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    padded_seconds: float | None
    seed: int

    @property
    def key(self) -> str:
        """One word for all of it: the same job need not be done twice."""
        parts = asdict(replace(self, clips=Path(self.clips.name)))
        parts["signal"] = self.signal.model_dump()
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def work(job: Job, folder: Path, device: str, on_epoch: OnEpoch) -> None:
    """Do a job; go on where it was interrupted.

    Parameters
    ----------
    job : Job
        What to do.
    folder : Path
        Gets ``result.json``, ``listen/`` and ``diagnosis/``, whole or not at all. Checkpoints
        lie beside it until it is there.
    device : str
        As of :func:`notedecay.training.fit`.
    on_epoch : callable
        Told the progress.

    Raises
    ------
    UserError
        For notes that do not suit.
    """
    began = time.perf_counter()
    clips = {clip.id: clip for clip in prepared.read(job.clips)}
    panels = {
        name: Panel([clips[id_] for id_ in ids], job.signal.prime_samples)
        for name, ids in (("seen", job.seen), ("unseen", job.unseen))
    }
    looks: list[Look] = []
    result: dict[str, Any] = {"device": "cpu", "machine": _machine(), "ended": "complete"}
    if job.continuator == ORACLE:
        verdict = {name: judge_oracle(panel) for name, panel in panels.items()}
    else:
        continuator = create(job.continuator, job.signal, job.settings)
        learned = [_padded(clips[id_], job.padded_seconds) for id_ in job.learned]
        result |= _learn(continuator, learned, job, folder, device, on_epoch)
        looks = read_looks(unfinished(folder) / LOOKS)
        result["warnings"] = symptoms(looks[-1]) if looks else []
        verdict = {name: panel.judge(continuator) for name, panel in panels.items()}
        result["teacher_forced"] = _teacher_forced(continuator, panels)
    result["figures"] = {name: _figures(verdict[name], panels[name]) for name in panels}
    result["notes"] = {name: _notes(judged) for name, judged in verdict.items()}
    result["seconds"] = round(time.perf_counter() - began, 1)
    with replacing_folder(folder) as fresh:
        (fresh / RESULT).write_text(json.dumps(_plain(result), indent=1, allow_nan=False) + "\n")
        for name, judged in verdict.items():
            write_listening(heard(judged), job.signal.prime_samples, fresh / LISTEN / name)
        if looks:
            (fresh / DIAGNOSIS).mkdir()
            write_diagnosis(looks, fresh / DIAGNOSIS)
    shutil.rmtree(unfinished(folder), ignore_errors=True)


def unfinished(folder: Path) -> Path:
    """Where a job keeps its progress until its folder is there."""
    return folder.with_name(f"{folder.name}.unfinished")


def heard(judged: Sequence[Judged]) -> list[Judged]:
    """The notes that are kept to listen to: C5 where it is there, and two others."""
    ids = {clip.id for clip in spread([item.clip for item in judged], 2)}
    first_c5 = next((item.clip.id for item in judged if item.clip.pitch == 72), None)
    return [item for item in judged if item.clip.id in ids | {first_c5}]


def _learn(
    continuator: Continuator[Any],
    clips: Sequence[Clip],
    job: Job,
    folder: Path,
    device: str,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    """Train, and say how it went; a training that diverged is a result too."""
    losses: list[float] = []
    history = unfinished(folder) / "losses.json"
    if history.exists():
        losses = json.loads(history.read_text())

    every = max(1, job.settings.get("epochs", 0) // LOOKED_AT)
    diagnosis = Diagnosis(continuator, clips, every=every, path=unfinished(folder) / LOOKS)

    def report(epoch: Epoch) -> None:
        diagnosis(epoch)
        losses[epoch.number - 1 :] = [epoch.metrics["train_loss"]]
        with replacing(history) as path:
            path.write_text(json.dumps(losses))
        on_epoch(epoch.number, epoch.of)

    ended = "complete"
    try:
        fit(
            continuator,
            clips,
            seed=job.seed,
            device=device,
            report=report,
            checkpoint=unfinished(folder),
            every=10,
        )
    except TrainingDiverged as error:
        ended = str(error)
    return {"ended": ended, "losses": losses, "device": str(choose_device(device))}


def _padded(clip: Clip, seconds: float | None) -> Clip:
    if seconds is None:
        return clip
    missing = max(0, round(seconds * clip.rate) - len(clip.samples))
    return replace(clip, samples=np.pad(clip.samples, (0, missing)))


def _teacher_forced(
    continuator: Continuator[Any], panels: Mapping[str, Panel]
) -> dict[str, float] | None:
    if not isinstance(continuator, Blockwise):
        return None
    return {name: continuator.teacher_forced_error(p.clips) for name, p in panels.items()}


def _figures(judged: Sequence[Judged], panel: Panel) -> dict[str, float]:
    return mean_scores([j.scores for j in judged]) | {"attractor": panel.attractor(judged)}


def _notes(judged: Sequence[Judged]) -> list[dict[str, Any]]:
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


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}"
