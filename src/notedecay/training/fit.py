"""The fit loop, the same for every model that learns.

Examples
--------
>>> import numpy as np
>>> from notedecay.data.note import Clip
>>> from notedecay.models import Signal, create
>>> t = np.arange(4000) / 4000
>>> note = (10 ** (-3 * t / 1.5) * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
>>> settings = {"units": 16, "transpose": 0, "epochs": 2}
>>> model = create("lstm", Signal(instrument="piano", rate=4000), settings)
>>> clips = [Clip("piano/A3", pitch=57, samples=note, rate=4000)]
>>> fit(model, clips, seed=1, device="cpu", report=lambda epoch: print(epoch.number))
1
2
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models.base import Continuator
from notedecay.models.batches import Batches, Examples, InMemory
from notedecay.models.learned import LearnedConfig, LearnedContinuator
from notedecay.training.checkpoint import (
    Checkpoint,
    fit_identity,
    read_checkpoint,
    write_checkpoint,
)
from notedecay.training.device import choose_device


@dataclass(frozen=True)
class Epoch:
    """Report of a fit after an epoch.

    Attributes
    ----------
    number, of : int
        This epoch (from 1), and the number of epochs.
    metrics : dict of str to float
        ``train_loss`` (mean over the notes), ``grad_norm`` (mean before clipping),
        ``learning_rate`` and ``epoch_seconds``.
    """

    number: int
    of: int
    metrics: dict[str, float] = field(default_factory=dict)


Report = Callable[[Epoch], None]
"""Progress callback, called after each epoch; it may raise to end the fit (a pruned trial)."""


class TrainingDiverged(UserError):  # noqa: N818 (it names what happened)
    """The loss, or a weight, is no longer finite."""


def fit(
    model: Continuator[Any],
    clips: Sequence[Clip],
    *,
    seed: int,
    device: str = "auto",
    report: Report = lambda _: None,
    checkpoint: Path | None = None,
    every: int = 5,
) -> None:
    """Train a model on notes; a model without a net is left as it is.

    The same seed gives the same weights, on one machine's CPU bit for bit. Within ``report``
    the model can be used and saved. At the end it is on the CPU.

    Parameters
    ----------
    model : Continuator
        Its weights are initialised first, whatever they were.
    clips : sequence of Clip
        The training notes.
    seed : int
        Seed of weights, order and noise.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    report : callable
        Called with an :class:`Epoch` after each epoch; an exception that it raises ends the fit.
    checkpoint : Path, optional
        Folder of checkpoints. An interrupted fit of the same model, notes and seed goes on from
        the last one and ends as if it had not been interrupted: later epochs are run, and
        reported, once more. A checkpoint of another fit is replaced.
    every : int
        Epochs between checkpoints; one is written after the last epoch too.

    Raises
    ------
    TrainingDiverged
        When the loss or a weight is no longer finite.
    UserError
        For no notes, unsuitable notes, a missing device, or a damaged checkpoint.
    """
    if not isinstance(model, LearnedContinuator):
        return
    if not clips:
        raise UserError("there are no notes to learn from; check the split")
    rng = torch.Generator().manual_seed(seed)
    examples = _prepare(model, clips, rng, device)
    optimiser = _optimiser(model)
    done, identity = 0, fit_identity(model, clips, seed)
    if checkpoint and (found := read_checkpoint(checkpoint, identity)):
        done = _resume(found, model, optimiser, rng)
    epochs = model.config.epochs
    for epoch in range(done + 1, epochs + 1):
        report(Epoch(epoch, epochs, _train_epoch(model, examples, optimiser, rng, epoch)))
        if checkpoint and (epoch % every == 0 or epoch == epochs):
            state = (model.net.state_dict(), optimiser.state_dict(), rng.get_state())
            write_checkpoint(checkpoint, identity, Checkpoint(epoch, *state))
    model.net.to("cpu")


def _prepare(
    model: LearnedContinuator[Any], clips: Sequence[Clip], rng: torch.Generator, device: str
) -> Batches:
    """Initialise the model and make the training examples, then move both to the device."""
    model.net.to("cpu")
    prepared = model.prepare(clips, rng)
    examples = prepared if isinstance(prepared, Batches) else InMemory(prepared)
    chosen = choose_device(device)
    model.net.to(chosen)
    return examples.to(chosen)


def _train_epoch(
    model: LearnedContinuator[Any],
    examples: Batches,
    optimiser: torch.optim.Optimizer,
    rng: torch.Generator,
    epoch: int,
) -> dict[str, float]:
    """Train for one pass over the notes and return its metrics."""
    config: LearnedConfig = model.config
    began = time.perf_counter()
    learning_rate = _learning_rate(config, epoch)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    model.net.train()
    losses, norms, weights = [], [], []
    for made in _shuffled(examples, config.batch, rng):
        batch = tuple(tensor.to(model.device) for tensor in made)
        optimiser.zero_grad()
        loss = model.loss(batch, rng)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.net.parameters(), config.clip_norm)
        optimiser.step()
        losses.append(loss.detach())
        norms.append(norm)
        weights.append(len(batch[0]))
    model.net.eval()
    share = torch.tensor(weights) / sum(weights)
    train_loss = float(torch.stack(losses).cpu() @ share)
    _check_convergence(model, train_loss, epoch)
    return {
        "train_loss": train_loss,
        "grad_norm": float(torch.stack(norms).cpu() @ share),
        "learning_rate": learning_rate,
        "epoch_seconds": time.perf_counter() - began,
    }


def _check_convergence(model: LearnedContinuator[Any], train_loss: float, epoch: int) -> None:
    """Raise if the loss or a weight is not finite."""
    fault = None if math.isfinite(train_loss) else f"the loss is {train_loss}"
    # The last step of an epoch may break the weights after all losses were finite.
    if fault is None and (broken := model.not_finite()):
        fault = f"{broken} is not finite"
    if fault:
        rate = model.config.learning_rate
        raise TrainingDiverged(
            f"training diverged in epoch {epoch}: {fault}; "
            f"lower learning_rate (now {rate:g}) or clip_norm"
        )


def _shuffled(examples: Batches, size: int, rng: torch.Generator) -> Iterator[Examples]:
    """Yield the notes in a new random order, in batches."""
    order = torch.randperm(len(examples), generator=rng)
    for notes in torch.split(order, size):
        yield examples.batch(notes)


def _learning_rate(config: LearnedConfig, epoch: int) -> float:
    """Compute the learning rate of an epoch, counted from 1."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / config.epochs))


def _optimiser(model: LearnedContinuator[Any]) -> torch.optim.Optimizer:
    """Make the optimiser of the settings."""
    config: LearnedConfig = model.config
    if config.optimiser == "adam":
        return torch.optim.Adam(model.net.parameters(), lr=config.learning_rate)
    return torch.optim.RMSprop(model.net.parameters(), lr=config.learning_rate, alpha=0.9)


def _resume(
    checkpoint: Checkpoint,
    model: LearnedContinuator[Any],
    optimiser: torch.optim.Optimizer,
    rng: torch.Generator,
) -> int:
    """Restore a checkpoint and return the number of its epoch."""
    model.restore(checkpoint.net)
    optimiser.load_state_dict(checkpoint.optimiser)
    rng.set_state(checkpoint.rng)
    return checkpoint.epoch
