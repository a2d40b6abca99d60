"""Base of the recurrent models: notes as blocks, trained to predict the next block.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models.base import Signal
from notedecay.models.batches import Batches, ByNote
from notedecay.models.learned import Examples, LearnedConfig, LearnedContinuator
from notedecay.models.recurrent.blocks import Blocks
from notedecay.models.recurrent.convolutions import Convolutions
from notedecay.models.recurrent.feedback import Core
from notedecay.models.recurrent.net import Activation, BlockNet, Net
from notedecay.models.transposition import with_transpositions

MIN_LEVEL = 1e-9
"""Smallest level to divide by, so that silence stays silence."""

MIN_ENERGY = 1e-2
"""Energy (-20 dB) below which the relative error of a block grows no further."""


class BlockwiseConfig(LearnedConfig):
    """Settings of every :class:`Blockwise`.

    Attributes
    ----------
    units : int
        Width of the recurrent layers.
    recurrent_gain : float
        Gain of the initial recurrent weights; 1 keeps them orthogonal, Keras 1 had 1.1.
    resolution : float
        Blocks per second.
    level : str
        Normalisation. ``global``: the training set's mean and standard deviation, as in the
        paper. ``prime``: each note by the RMS of its prime.
    transpose : int
        Largest transposition of training notes up and down (semitones); an epoch is
        ``2 * transpose + 1`` times as long.
    window_seconds : float
        Length of each training note, from the onset (s).
    denormalisation : str
        ``inverse`` of the normalisation, or the authors' ``(x + mean) * std``.
    """

    units: int = Field(default=256, ge=16, le=2048)
    recurrent_gain: float = Field(default=1.0, ge=0.5, le=1.5)
    resolution: float = Field(default=30.0, ge=5.0, le=200.0)
    level: Literal["global", "prime"] = "prime"
    transpose: int = Field(default=1, ge=0, le=6)
    window_seconds: float = Field(default=3.0, ge=0.5, le=30.0)
    denormalisation: Literal["inverse", "authors"] = "inverse"


class RecurrentConfig(BlockwiseConfig):
    """Settings of every :class:`Recurrent`.

    Attributes
    ----------
    layers : int
        Number of recurrent layers.
    activation : str
        Activation of the dense layer before them.
    output_activation : str
        Activation of the dense layer after them; the paper's tanh variant had it here, where it
        keeps the output below one standard deviation.
    spectral : bool
        Whether the real and imaginary parts of each block's Fourier transform are inputs too.
    loss : str
        ``absolute``: mean squared error, as in the paper. ``relative``: that of each block
        divided by the block's energy, so that the decay counts to its end.
    input_noise : float
        Standard deviation of the noise added to the inputs in training, relative to the level.
    target : str
        ``next``: the block that follows. ``same``: the input block, as the authors had it for
        some days; the net then learns no prediction, and the loss is misleadingly low.
    """

    layers: int = Field(default=1, ge=1, le=3)
    activation: Activation = "linear"
    output_activation: Activation = "linear"
    spectral: bool = False
    loss: Literal["absolute", "relative"] = "absolute"
    input_noise: float = Field(default=0.0, ge=0.0, le=2.0)
    target: Literal["next", "same"] = "next"


class Framed(NamedTuple):
    """Notes as blocks, padded to the same length."""

    blocks: Tensor
    """Normalised, shape (notes, blocks, size)."""
    mask: Tensor
    """1 for a block of the note, 0 for padding, shape (notes, blocks, 1)."""


B = TypeVar("B", bound=BlockwiseConfig)


class Blockwise(LearnedContinuator[B]):
    """A model with a net on blocks of samples; subclasses define the net and the loss."""

    net: BlockNet

    def __init__(self, signal: Signal, config: B) -> None:
        super().__init__(signal, config)
        self.blocks = Blocks(signal.rate, config.resolution)
        self.blocks.lead(signal.prime_samples)
        self.net = self.make_net(self.blocks.size)
        self.net.eval()

    @abstractmethod
    def make_net(self, size: int) -> BlockNet:
        """Make the net for blocks of ``size`` samples."""

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Batches:
        """Initialise the weights and measure the level of the notes, which are framed by batch."""
        self.net.init_weights(generator, self.config.recurrent_gain)
        transposed = with_transpositions(clips, self.config.transpose)
        if self.config.level == "global":
            self._measure_level(transposed)
        prime = self.signal.prime_samples
        longest = max(len(self.blocks.cut(self._window(clip), prime)) for clip in transposed)
        return ByNote(self.examples, transposed, longest)

    def _measure_level(self, clips: Sequence[Clip]) -> None:
        """Set mean and standard deviation of all samples, with a note in memory at a time."""
        count = sum(len(self._window(clip)) for clip in clips)
        total = sum(float(np.sum(self._window(clip), dtype=np.float64)) for clip in clips)
        mean = total / count
        squares = sum(
            float(np.square(self._window(clip).astype(np.float64) - mean).sum()) for clip in clips
        )
        self.net.mean.fill_(mean)
        self.net.std.fill_(max(math.sqrt(squares / count), MIN_LEVEL))

    def examples(self, clips: Sequence[Clip]) -> Framed:
        """Cut notes into blocks, normalised as the training notes were."""
        return self._frame([self._window(clip) for clip in clips])

    def teacher_forced_error(self, clips: Sequence[Clip]) -> float:
        """Measure the error of the next block predicted from the true blocks before it.

        Parameters
        ----------
        clips : sequence of Clip
            Training notes or others, without transpositions.

        Returns
        -------
        float
            Mean squared error per sample, normalised: for ``global`` in variances of the
            training notes, for ``prime`` in energies of the prime.
        """
        blocks, mask = (tensor.to(self.device) for tensor in self.examples(clips))
        with torch.inference_mode():
            predicted, _ = self.net(blocks[:, :-1])
            return _mean_square(predicted - blocks[:, 1:], mask[:, 1:]).item()

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue several primes as one batch, carrying the memory on: O(samples)."""
        count = self.blocks.covering(max(samples, default=0))
        if not count:
            return [np.zeros(0, dtype=np.float32) for _ in primes]
        length = self.signal.prime_samples
        scale = self._scale(primes).to(self.device)
        cut = np.stack([self.blocks.cut(prime, length) for prime in primes])
        with torch.inference_mode():
            inputs = self._normalise(torch.from_numpy(cut).to(self.device), scale)
            made = self.net.generate(inputs, count)
            self._denormalise_(made, scale)
        arrays = made.cpu().numpy()
        return [self.blocks.join(a, n) for a, n in zip(arrays, samples, strict=True)]

    def _window(self, clip: Clip) -> Samples:
        """Cut out the part of a note that is trained on."""
        enough = self.signal.prime_samples + self.blocks.size
        if clip.rate != self.signal.rate or len(clip.samples) < enough:
            raise UserError(
                f"note {clip.id} has {len(clip.samples)} samples at {clip.rate} Hz; learning needs "
                f"{enough} or more at {self.signal.rate} Hz: prepare the notes again"
            )
        return clip.samples[: max(enough, round(self.config.window_seconds * clip.rate))]

    def _frame(self, windows: Sequence[Samples]) -> Framed:
        """Cut notes into normalised blocks, padded to the same length."""
        prime = self.signal.prime_samples
        notes = [
            self._normalise(
                torch.from_numpy(self.blocks.cut(w, prime)).to(self.device),
                self._scale([w[:prime]])[0].to(self.device),
            )
            for w in windows
        ]
        mask = [torch.ones(len(note), 1, device=self.device) for note in notes]
        pad = nn.utils.rnn.pad_sequence
        return Framed(pad(notes, batch_first=True), pad(mask, batch_first=True))

    def _scale(self, primes: Sequence[Samples]) -> Tensor:
        """Compute the divisor of each note, from its prime; shape (notes, 1, 1)."""
        if self.config.level == "global":
            return torch.ones(len(primes), 1, 1)
        rms = [np.sqrt(np.mean(np.square(p, dtype=np.float64))) for p in primes]
        return torch.tensor(rms, dtype=torch.float32).view(-1, 1, 1)

    def _normalise(self, blocks: Tensor, scale: Tensor) -> Tensor:
        """Normalise blocks as inputs of the net."""
        return (blocks / scale.clamp(min=MIN_LEVEL) - self.net.mean) / self.net.std

    def _denormalise_(self, blocks: Tensor, scale: Tensor) -> None:
        """Undo the normalisation of predicted blocks, in place: they may be a minute of sound."""
        if self.config.denormalisation == "authors":
            blocks.add_(self.net.mean).mul_(self.net.std).mul_(scale)
        else:
            blocks.mul_(self.net.std).add_(self.net.mean).mul_(scale)


R = TypeVar("R", bound=RecurrentConfig)


class Recurrent(Blockwise[R]):
    """A model whose LSTM or GRU predicts the next block; subclasses define the :class:`Net`."""

    net: Net

    @abstractmethod
    def make_net(self, size: int) -> Net:
        """Make the net for blocks of ``size`` samples."""

    def _net(
        self,
        size: int,
        core: Core,
        *,
        convolutions: Convolutions | None = None,
        dense: bool = True,
    ) -> Net:
        """Make a net around a core, with the activations and inputs of the settings."""
        config = self.config
        return Net(
            size,
            core,
            activation=config.activation,
            output_activation=config.output_activation,
            spectral=config.spectral,
            convolutions=convolutions,
            dense=dense,
        )

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Mean squared error of the next block, absolute or relative, without the padding."""
        blocks, mask = examples
        inputs = blocks[:, :-1]
        if self.config.input_noise:
            noise = torch.randn(inputs.shape, generator=generator).to(inputs.device)
            inputs = inputs + self.config.input_noise * noise
        predicted, _ = self.net(inputs, mask=mask[:, :-1])
        ahead = slice(1, None) if self.config.target == "next" else slice(None, -1)
        target, weight = blocks[:, ahead], mask[:, ahead]
        if self.config.loss == "relative":
            energy = target.square().mean(dim=2, keepdim=True)
            weight = weight / (energy + MIN_ENERGY)
        return _mean_square(predicted - target, weight)


def _mean_square(error: Tensor, weight: Tensor) -> Tensor:
    """Compute the weighted mean square over samples.

    The error has the shape (notes, blocks, size), the weight (notes, blocks, 1).
    """
    return (error.square() * weight).sum() / (weight.sum() * error.shape[2]).clamp(min=MIN_LEVEL)
