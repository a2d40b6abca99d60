"""The fit loop, the same for every net."""

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
from notedecay.models.learned import Examples, LearnedConfig, LearnedContinuator
from notedecay.training import checkpoint as checkpoints
from notedecay.training.checkpoint import Progress
from notedecay.training.device import choose_device


@dataclass(frozen=True)
class Epoch:
    """What a fit reports after an epoch.

    Attributes
    ----------
    number, of : int
        This epoch (from 1) and how many there are.
    metrics : dict of str to float
        ``train_loss`` (mean over the notes), ``grad_norm`` (mean before clipping),
        ``learning_rate`` and ``epoch_seconds``.
    """

    number: int
    of: int
    metrics: dict[str, float] = field(default_factory=dict)


Report = Callable[[Epoch], None]
"""Called after each epoch; may raise to end the fit (a pruned trial)."""


class TrainingDiverged(UserError):  # noqa: N818 (it names what happened)
    """The loss, or a weight, is no longer a number."""


def fit(
    continuator: Continuator[Any],
    clips: Sequence[Clip],
    *,
    seed: int,
    device: str = "auto",
    report: Report = lambda _: None,
    checkpoint: Path | None = None,
    every: int = 5,
) -> None:
    """Train a continuator on whole notes; a classical one has nothing to learn.

    The same seed gives the same weights, on one machine's CPU bit for bit. Within ``report``
    the continuator can be used and saved. It is left on the CPU.

    Parameters
    ----------
    continuator : Continuator
        Begins afresh, whatever it learned before.
    clips : sequence of Clip
        The training notes.
    seed : int
        For weights, order and noise.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    report : callable
        Called with an :class:`Epoch` after each epoch; what it raises ends the fit.
    checkpoint : Path, optional
        Folder for the progress. A fit of the same continuator, notes and seed that was
        interrupted goes on from there and ends as if it had not been: epochs after the last
        checkpoint are done, and reported, once more. Progress of another fit is replaced.
    every : int
        Epochs between checkpoints; one is written after the last epoch too.

    Raises
    ------
    TrainingDiverged
        When the loss or a weight is no longer finite.
    UserError
        For no notes, notes that do not suit, a device that is not there, or a damaged
        checkpoint.
    """
    if not isinstance(continuator, LearnedContinuator):
        return
    if not clips:
        raise UserError("there are no notes to learn from; check the split")
    config: LearnedConfig = continuator.config
    chance = torch.Generator().manual_seed(seed)
    continuator.net.to("cpu")
    examples = continuator.prepare(clips, chance)
    place = choose_device(device)
    continuator.net.to(place)
    examples = tuple(tensor.to(place) for tensor in examples)
    optimiser = _optimiser(continuator)
    done, this_fit = 0, checkpoints.identity(continuator, clips, seed)
    if checkpoint and (progress := checkpoints.read(checkpoint, this_fit)):
        done = _resume(progress, continuator, optimiser, chance)
    for epoch in range(done + 1, config.epochs + 1):
        metrics = _epoch(continuator, examples, optimiser, chance, epoch)
        report(Epoch(epoch, config.epochs, metrics))
        if checkpoint and (epoch % every == 0 or epoch == config.epochs):
            state = (continuator.net.state_dict(), optimiser.state_dict(), chance.get_state())
            checkpoints.write(checkpoint, this_fit, Progress(epoch, *state))
    continuator.net.to("cpu")


def _epoch(
    continuator: LearnedContinuator[Any],
    examples: Examples,
    optimiser: torch.optim.Optimizer,
    chance: torch.Generator,
    epoch: int,
) -> dict[str, float]:
    """One pass over the notes."""
    config: LearnedConfig = continuator.config
    began = time.perf_counter()
    rate = _learning_rate(config, epoch)
    for group in optimiser.param_groups:
        group["lr"] = rate
    continuator.progress = epoch / config.epochs
    continuator.net.train()
    losses, norms, weights = [], [], []
    for batch in _batches(examples, config.batch, chance):
        optimiser.zero_grad()
        loss = continuator.loss(batch, chance)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(continuator.net.parameters(), config.clip_norm)
        optimiser.step()
        losses.append(loss.detach())
        norms.append(norm)
        weights.append(len(batch[0]))
    continuator.net.eval()
    share = torch.tensor(weights) / sum(weights)
    train_loss = float(torch.stack(losses).cpu() @ share)
    if not math.isfinite(train_loss):
        raise TrainingDiverged(
            f"training diverged in epoch {epoch}: the loss is {train_loss}; "
            f"lower learning_rate (now {config.learning_rate:g}) or clip_norm"
        )
    # The last step of an epoch may break the weights after the losses were fine.
    if broken := continuator.not_finite():
        raise TrainingDiverged(
            f"training diverged in epoch {epoch}: {broken} is not finite; "
            f"lower learning_rate (now {config.learning_rate:g}) or clip_norm"
        )
    return {
        "train_loss": train_loss,
        "grad_norm": float(torch.stack(norms).cpu() @ share),
        "learning_rate": rate,
        "epoch_seconds": time.perf_counter() - began,
    }


def _batches(examples: Examples, size: int, chance: torch.Generator) -> Iterator[Examples]:
    """Deal out the notes in a new order, some at a time."""
    order = torch.randperm(len(examples[0]), generator=chance)
    for notes in torch.split(order.to(examples[0].device), size):
        yield tuple(tensor[notes] for tensor in examples)


def _learning_rate(config: LearnedConfig, epoch: int) -> float:
    """Step size of an epoch, counted from 1."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / config.epochs))


def _optimiser(continuator: LearnedContinuator[Any]) -> torch.optim.Optimizer:
    """Make the optimiser that the settings name."""
    config: LearnedConfig = continuator.config
    if config.optimiser == "adam":
        return torch.optim.Adam(continuator.net.parameters(), lr=config.learning_rate)
    return torch.optim.RMSprop(continuator.net.parameters(), lr=config.learning_rate, alpha=0.9)


def _resume(
    progress: Progress,
    continuator: LearnedContinuator[Any],
    optimiser: torch.optim.Optimizer,
    chance: torch.Generator,
) -> int:
    """Put everything as it was, and say after which epoch."""
    continuator.restore(progress.net)
    optimiser.load_state_dict(progress.optimiser)
    chance.set_state(progress.chance)
    return progress.epoch
