"""Diagnosis of a net during training: snapshots on a few notes, and warnings from them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from notedecay.data.note import Clip
from notedecay.metrics import likeness
from notedecay.models.base import Continuator
from notedecay.models.learned import LearnedContinuator
from notedecay.training.diagnostics.layers import measure_layers
from notedecay.training.diagnostics.snapshots import (
    Likeness,
    Snapshot,
    read_snapshots,
    write_snapshots,
)
from notedecay.training.diagnostics.warnings import find_warnings
from notedecay.training.evaluator import spread
from notedecay.training.fit import Epoch

NOTES = 16
"""Notes of a snapshot: enough for statistics, a fraction of an epoch's work."""

PRIMES = 8
"""Primes of different pitch whose continuations are compared."""

COMPARED_SECONDS = 2.0


class Diagnosis:
    """Snapshots of a model every few epochs; a ``report`` for :func:`notedecay.training.fit`.

    The training is not affected, bit for bit. A snapshot costs about a third of an epoch of 40
    notes with transpositions, less with more notes.

    Parameters
    ----------
    model : Continuator
        The model in training.
    clips : sequence of Clip
        The training notes; each snapshot uses the same 16, spread over the pitches.
    every : int
        Epochs between two snapshots; the last epoch always has one.
    path : Path, optional
        JSON file that keeps the snapshots over an interruption.

    Attributes
    ----------
    snapshots : list of Snapshot
        From the first epoch to the last.
    """

    def __init__(
        self,
        model: Continuator[Any],
        clips: Sequence[Clip],
        *,
        every: int = 1,
        path: Path | None = None,
    ) -> None:
        self.model = model
        self.clips = clips
        self.every = every
        self._path = path
        self.snapshots: list[Snapshot] = read_snapshots(path) if path else []

    def __call__(self, epoch: Epoch) -> None:
        """Take a snapshot, if one is due."""
        self.after(epoch.number, epoch.of)

    def after(self, epoch: int, of: int) -> None:
        """Take a snapshot after an epoch, if one is due; it replaces those of later epochs."""
        if epoch % self.every and epoch != of:
            return
        earlier = [snapshot for snapshot in self.snapshots if snapshot.epoch < epoch]
        self.snapshots = [*earlier, diagnose(self.model, self.clips, epoch)]
        if self._path:
            write_snapshots(self.snapshots, self._path)

    def warnings(self) -> list[str]:
        """Warnings of the latest snapshot, a line each; empty for a healthy net."""
        return find_warnings(self.snapshots[-1]) if self.snapshots else []


def diagnose(model: Continuator[Any], clips: Sequence[Clip], epoch: int = 0) -> Snapshot:
    """Take a snapshot of a model, which is not changed.

    Parameters
    ----------
    model : Continuator
        Any model; without a net the snapshot has the continuations alone.
    clips : sequence of Clip
        The training notes.
    epoch : int
        Epochs that it has been trained for.

    Returns
    -------
    Snapshot
        For :func:`notedecay.training.diagnostics.warnings.find_warnings`.
    """
    few = spread(clips, NOTES)
    device = model.device if isinstance(model, LearnedContinuator) else None
    with torch.random.fork_rng([device] if device and device.type == "cuda" else []):
        alike = continuation_likeness(_evaluation_copy(model), few)
        if not isinstance(model, LearnedContinuator):
            return Snapshot(epoch=epoch, steps=0, layers={}, reach={}, likeness=alike)
        examples = tuple(tensor.to(model.device) for tensor in model.examples(few))
        layers, reach = measure_layers(model, examples, torch.Generator().manual_seed(0))
    steps = epoch * -(-len(clips) // model.config.batch)
    return Snapshot(epoch=epoch, steps=steps, layers=layers, reach=reach, likeness=alike)


def _evaluation_copy(model: Continuator[Any]) -> Continuator[Any]:
    """Copy a model, with its net in evaluation mode."""
    twin = copy.deepcopy(model)
    if isinstance(twin, LearnedContinuator):
        twin.net.eval()
    return twin


def continuation_likeness(model: Continuator[Any], clips: Sequence[Clip]) -> Likeness:
    """Compare the first 2 s after primes of up to 8 pitches, generated and true.

    Parameters
    ----------
    model : Continuator
        Any model.
    clips : sequence of Clip
        Longer than the prime.
    """
    signal = model.signal
    length = signal.prime_samples
    chosen = spread(list({clip.pitch: clip for clip in clips}.values()), PRIMES)
    true = [c.samples[length : length + round(COMPARED_SECONDS * c.rate)] for c in chosen]
    made = model.continue_primes([c.samples[:length] for c in chosen], list(map(len, true)))
    return Likeness(
        made=likeness(made, signal.rate), true=likeness(true, signal.rate), pitches=len(chosen)
    )
