"""Why does a net fail? Looks at it while it is trained, and says in plain words what is wrong."""

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
from notedecay.training.diagnostics import snapshots as files
from notedecay.training.diagnostics.layers import look_at_layers
from notedecay.training.diagnostics.snapshots import Likeness, Look
from notedecay.training.diagnostics.warnings import symptoms
from notedecay.training.evaluator import spread
from notedecay.training.fit import Epoch

NOTES = 16
"""Notes that are looked at: enough for statistics, a fraction of an epoch's work."""

PRIMES = 8
HEARD_SECONDS = 2.0


class Diagnosis:
    """Looks at a continuator every few epochs; a ``report`` for :func:`notedecay.training.fit`.

    Training goes on as if it had not been looked at, bit for bit. A look costs about a third of
    an epoch of 40 notes with transpositions, less with more notes.

    Parameters
    ----------
    continuator : Continuator
        The one that is trained.
    clips : sequence of Clip
        The training notes; the same 16 of them, spread over the pitches, are taken each time.
    every : int
        Epochs between two looks; the last epoch is always looked at.
    path : Path, optional
        JSON file that holds the looks, so that they outlive an interruption.

    Attributes
    ----------
    looks : list of Look
        From the first epoch to the last.
    """

    def __init__(
        self,
        continuator: Continuator[Any],
        clips: Sequence[Clip],
        *,
        every: int = 1,
        path: Path | None = None,
    ) -> None:
        self.continuator = continuator
        self.clips = clips
        self.every = every
        self._path = path
        self.looks: list[Look] = files.read(path) if path else []

    def __call__(self, epoch: Epoch) -> None:
        """Look, if it is time."""
        self.after(epoch.number, epoch.of)

    def after(self, epoch: int, of: int) -> None:
        """Look after an epoch of so many, if it is time; one that is done again replaces."""
        if epoch % self.every and epoch != of:
            return
        earlier = [look for look in self.looks if look.epoch < epoch]
        self.looks = [*earlier, diagnose(self.continuator, self.clips, epoch)]
        if self._path:
            files.write(self.looks, self._path)

    def warnings(self) -> list[str]:
        """What is wrong at the last look, a line each; empty for a healthy net."""
        return symptoms(self.looks[-1]) if self.looks else []


def diagnose(continuator: Continuator[Any], clips: Sequence[Clip], epoch: int = 0) -> Look:
    """Look at a continuator once; it is not changed.

    Parameters
    ----------
    continuator : Continuator
        Of any kind; of one without a net only the continuations are looked at.
    clips : sequence of Clip
        The training notes.
    epoch : int
        Epochs that it has been trained for.

    Returns
    -------
    Look
        For :func:`notedecay.training.diagnostics.warnings`.
    """
    few = spread(clips, NOTES)
    device = continuator.device if isinstance(continuator, LearnedContinuator) else None
    with torch.random.fork_rng([device] if device and device.type == "cuda" else []):
        alike = hear(_copy(continuator), few)
        if not isinstance(continuator, LearnedContinuator):
            return Look(epoch=epoch, steps=0, layers={}, reach={}, likeness=alike)
        examples = tuple(tensor.to(continuator.device) for tensor in continuator.examples(few))
        chance = torch.Generator().manual_seed(0)
        layers, reach = look_at_layers(continuator, examples, chance)
    steps = epoch * -(-len(clips) // continuator.config.batch)
    return Look(epoch=epoch, steps=steps, layers=layers, reach=reach, likeness=alike)


def _copy(continuator: Continuator[Any]) -> Continuator[Any]:
    """Copy a continuator, ready to be heard."""
    twin = copy.deepcopy(continuator)
    if isinstance(twin, LearnedContinuator):
        twin.net.eval()
    return twin


def hear(continuator: Continuator[Any], clips: Sequence[Clip]) -> Likeness:
    """Compare the first 2 s after primes of up to 8 pitches, made and true.

    Parameters
    ----------
    continuator : Continuator
        Of any kind.
    clips : sequence of Clip
        Longer than the prime.
    """
    signal = continuator.signal
    length = signal.prime_samples
    chosen = spread(list({clip.pitch: clip for clip in clips}.values()), PRIMES)
    true = [c.samples[length : length + round(HEARD_SECONDS * c.rate)] for c in chosen]
    made = continuator.continue_primes([c.samples[:length] for c in chosen], list(map(len, true)))
    return Likeness(
        made=likeness(made, signal.rate), true=likeness(true, signal.rate), pitches=len(chosen)
    )
