"""The paper's first model: a dense layer, LSTM layers, a dense layer, one block at a time.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from notedecay.continuators.base import ContinuatorConfig, Signal
from notedecay.continuators.blocks import Blocks
from notedecay.continuators.learned import Examples, LearnedConfig, LearnedContinuator
from notedecay.continuators.transposition import with_transpositions
from notedecay.errors import UserError
from notedecay.notes.note import Clip, Samples

Activation = Literal["linear", "tanh", "relu"]
Memory = tuple[Tensor, Tensor]
"""Hidden state and cell of the LSTM, each of shape (layers, notes, units)."""

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}
FAINTEST = 1e-9
"""Smallest level that is divided by, so that silence stays silence."""

QUIETEST = 1e-2
"""Energy (-20 dB) under which the error of a block counts no more than at that."""


class LstmConfig(LearnedConfig):
    """Settings of :class:`Lstm`.

    Attributes
    ----------
    units, layers : int
        Width and number of the LSTM layers.
    activation : str
        Of the dense layer before them.
    output_activation : str
        Of the dense layer after them; the paper's tanh variant had it here, where it keeps
        the output below one standard deviation.
    resolution : float
        Blocks per second.
    level : str
        ``global``: the training set's mean and standard deviation, as in the paper.
        ``prime``: each note by the RMS of its prime.
    loss : str
        ``absolute``: mean squared error, as in the paper. ``relative``: that of each block in
        proportion to the block's own energy, so that the decay counts to its end.
    input_noise : float
        Standard deviation of the noise added to the inputs while training, relative to
        the level.
    transpose : int
        Semitones up and down to which each note is transposed, to be learned as well; an
        epoch is ``2 * transpose + 1`` times as long.
    window_seconds : float
        How much of each note is learned, from the onset (s).
    """

    units: int = Field(default=256, ge=16, le=2048)
    layers: int = Field(default=1, ge=1, le=3)
    activation: Activation = "linear"
    output_activation: Activation = "linear"
    resolution: float = Field(default=30.0, ge=5.0, le=200.0)
    level: Literal["global", "prime"] = "prime"
    loss: Literal["absolute", "relative"] = "absolute"
    input_noise: float = Field(default=0.0, ge=0.0, le=2.0)
    transpose: int = Field(default=1, ge=0, le=6)
    window_seconds: float = Field(default=3.0, ge=0.5, le=30.0)


class Net(nn.Module):
    """Dense, LSTM, dense.

    Parameters
    ----------
    size : int
        Samples in a block.
    config : LstmConfig
        Width, depth and activations.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: int, config: LstmConfig) -> None:
        super().__init__()
        units = config.units
        self.inward = nn.Linear(size, units)
        self.activation = ACTIVATIONS[config.activation]()
        self.lstm = nn.LSTM(units, units, config.layers, batch_first=True)
        self.outward = nn.Linear(units, size)
        self.output_activation = ACTIVATIONS[config.output_activation]()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def draw(self, generator: torch.Generator) -> None:
        """Draw the weights as the paper did: Glorot, orthogonal recurrence, forget bias 1."""
        units = self.lstm.hidden_size
        for name, weight in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(weight)
            elif "weight_hh" in name:
                for gate in torch.split(weight.detach(), units):
                    nn.init.orthogonal_(gate, generator=generator)
            elif "weight_ih" in name:
                for gate in torch.split(weight.detach(), units):
                    nn.init.xavier_uniform_(gate, generator=generator)
            else:
                nn.init.xavier_uniform_(weight, generator=generator)
            if "bias_ih" in name:
                weight.detach()[units : 2 * units] = 1.0

    def forward(self, blocks: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Predict the next block after each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        memory : pair of tensors, optional
            Where an earlier call left off.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        memory : pair of tensors
            To carry on from.
        """
        hidden, memory = self.lstm(self.activation(self.inward(blocks)), memory)
        return self.output_activation(self.outward(hidden)), memory

    def run_on(self, heard: Tensor, blocks: int) -> Tensor:
        """Predict from its own predictions, each step in constant time.

        Parameters
        ----------
        heard : tensor, shape (notes, heard, size)
            The prime's blocks.
        blocks : int
            How many to make, 1 or more.

        Returns
        -------
        tensor, shape (notes, blocks, size)
        """
        all_predicted, memory = self(heard)
        block = all_predicted[:, -1:]
        predicted = [block]
        while len(predicted) < blocks:
            block, memory = self(block, memory)
            predicted.append(block)
        return torch.cat(predicted, dim=1)


class Framed(NamedTuple):
    """Notes as blocks, padded to one length."""

    blocks: Tensor
    """Normalised, shape (notes, blocks, size)."""
    known: Tensor
    """1 for a block of the note, 0 for padding, shape (notes, blocks, 1)."""


class Lstm(LearnedContinuator[LstmConfig]):
    """LSTM with dense layers on blocks of samples."""

    name: ClassVar[str] = "lstm"
    Config: ClassVar[type[ContinuatorConfig]] = LstmConfig
    net: Net

    def __init__(self, signal: Signal, config: LstmConfig) -> None:
        super().__init__(signal, config)
        self.blocks = Blocks(signal.rate, config.resolution)
        self.blocks.lead(signal.prime_samples)
        self.net = Net(self.blocks.size, config)

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        """Draw the weights, take the level of the notes, and cut them into blocks."""
        self.net.draw(generator)
        heard = with_transpositions(clips, self.config.transpose)
        windows = [self._window(clip) for clip in heard]
        if self.config.level == "global":
            everything = np.concatenate(windows).astype(np.float64)
            self.net.mean.fill_(float(everything.mean()))
            self.net.std.fill_(max(float(everything.std()), FAINTEST))
        prime = self.signal.prime_samples
        notes = [
            self._normal(torch.from_numpy(self.blocks.cut(w, prime)), self._scale([w[:prime]])[0])
            for w in windows
        ]
        known = [torch.ones(len(note), 1) for note in notes]
        pad = nn.utils.rnn.pad_sequence
        return Framed(pad(notes, batch_first=True), pad(known, batch_first=True))

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Mean squared error of the next block, over the blocks that the notes have."""
        blocks, known = examples
        heard = blocks[:, :-1]
        if self.config.input_noise:
            noise = torch.randn(heard.shape, generator=generator).to(heard.device)
            heard = heard + self.config.input_noise * noise
        predicted, _ = self.net(heard)
        target, weight = blocks[:, 1:], known[:, 1:]
        if self.config.loss == "relative":
            energy = target.square().mean(dim=2, keepdim=True)
            weight = weight / (energy + QUIETEST)
        error = (predicted - target).square() * weight
        mean: Tensor = error.sum() / (weight.sum() * self.blocks.size)
        return mean

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue many primes as one batch, carrying the memory on: O(samples)."""
        count = self.blocks.covering(max(samples, default=0))
        if not count:
            return [np.zeros(0, dtype=np.float32) for _ in primes]
        length = self.signal.prime_samples
        scale = self._scale(primes).to(self.device)
        cut = np.stack([self.blocks.cut(prime, length) for prime in primes])
        with torch.inference_mode():
            heard = self._normal(torch.from_numpy(cut).to(self.device), scale)
            made = self.net.run_on(heard, count)
            made = (made * self.net.std + self.net.mean) * scale
        arrays = made.cpu().numpy()
        return [self.blocks.join(a, n) for a, n in zip(arrays, samples, strict=True)]

    def _window(self, clip: Clip) -> Samples:
        """Cut out the part of a note that is learned."""
        enough = self.signal.prime_samples + self.blocks.size
        if clip.rate != self.signal.rate or len(clip.samples) < enough:
            raise UserError(
                f"note {clip.id} has {len(clip.samples)} samples at {clip.rate} Hz; learning needs "
                f"{enough} or more at {self.signal.rate} Hz: prepare the notes again"
            )
        return clip.samples[: max(enough, round(self.config.window_seconds * clip.rate))]

    def _scale(self, primes: Sequence[Samples]) -> Tensor:
        """By what each note is divided before the net hears it, shape (notes, 1, 1)."""
        if self.config.level == "global":
            return torch.ones(len(primes), 1, 1)
        rms = [np.sqrt(np.mean(np.square(p, dtype=np.float64))) for p in primes]
        return torch.tensor(rms, dtype=torch.float32).view(-1, 1, 1)

    def _normal(self, blocks: Tensor, scale: Tensor) -> Tensor:
        """Blocks as the net hears them."""
        return (blocks / scale.clamp(min=FAINTEST) - self.net.mean) / self.net.std
