"""What the paper's models share: notes as blocks, the next block learned, and run on.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""

from __future__ import annotations

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
from notedecay.models.learned import Examples, LearnedConfig, LearnedContinuator
from notedecay.models.recurrent.blocks import Blocks
from notedecay.models.recurrent.losses import decay_loss, level_loss, spectrum_loss
from notedecay.models.recurrent.net import Activation, BlockNet, Net
from notedecay.models.transposition import with_transpositions

FAINTEST = 1e-9
"""Smallest level that is divided by, so that silence stays silence."""

QUIETEST = 1e-2
"""Energy (-20 dB) under which the error of a block counts no more than at that."""


class BlockwiseConfig(LearnedConfig):
    """Settings of every :class:`Blockwise`.

    Attributes
    ----------
    units : int
        Width of the recurrent layers.
    recurrent_gain : float
        Of the recurrent weights when drawn; 1 keeps them orthogonal, Keras 1 had 1.1.
    resolution : float
        Blocks per second.
    level : str
        ``global``: the training set's mean and standard deviation, as in the paper.
        ``prime``: each note by the RMS of its prime.
    transpose : int
        Semitones up and down to which each note is transposed, to be learned as well; an
        epoch is ``2 * transpose + 1`` times as long.
    window_seconds : float
        How much of each note is learned, from the onset (s).
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
        Number of the recurrent layers.
    activation : str
        Of the dense layer before them.
    output_activation : str
        Of the dense layer after them; the paper's tanh variant had it here, where it keeps
        the output below one standard deviation.
    spectral : bool
        Whether the real and imaginary parts of each block's Fourier transform are appended to
        the block that is heard.
    loss : str
        ``absolute``: mean squared error, as in the paper. ``relative``: that of each block in
        proportion to the block's own energy, so that the decay counts to its end.
    input_noise : float
        Standard deviation of the noise added to the inputs while training, relative to
        the level.
    rollout : float
        Weight of the error of blocks that the net makes while it runs on by itself, from a
        random point after the prime; 0 for teacher forcing alone.
    level_loss, spectrum_loss, decay_loss : float
        Weights of what a listener hears of these blocks; see
        :mod:`notedecay.models.recurrent.losses`.
    horizon_seconds : float
        How long it runs on in the second half of the training (s), less before.
    target : str
        ``next``: the block that follows. ``same``: the block that is heard, as the authors had
        it for some days; then nothing is learned of time, and the loss looks splendid.
    """

    layers: int = Field(default=1, ge=1, le=3)
    activation: Activation = "linear"
    output_activation: Activation = "linear"
    spectral: bool = False
    loss: Literal["absolute", "relative"] = "absolute"
    input_noise: float = Field(default=0.0, ge=0.0, le=2.0)
    rollout: float = Field(default=0.0, ge=0.0, le=100.0)
    level_loss: float = Field(default=0.0, ge=0.0, le=100.0)
    spectrum_loss: float = Field(default=0.0, ge=0.0, le=100.0)
    decay_loss: float = Field(default=0.0, ge=0.0, le=100.0)
    horizon_seconds: float = Field(default=1.0, gt=0.0, le=30.0)
    target: Literal["next", "same"] = "next"

    @property
    def free_running(self) -> bool:
        """Whether the net is trained on what it makes by itself, too."""
        return any((self.rollout, self.level_loss, self.spectrum_loss, self.decay_loss))


class Framed(NamedTuple):
    """Notes as blocks, padded to one length."""

    blocks: Tensor
    """Normalised, shape (notes, blocks, size)."""
    known: Tensor
    """1 for a block of the note, 0 for padding, shape (notes, blocks, 1)."""


B = TypeVar("B", bound=BlockwiseConfig)


class Blockwise(LearnedContinuator[B]):
    """A net on blocks of samples; each kind makes its own, and has its own loss."""

    net: BlockNet

    def __init__(self, signal: Signal, config: B) -> None:
        super().__init__(signal, config)
        self.blocks = Blocks(signal.rate, config.resolution)
        self.blocks.lead(signal.prime_samples)
        self.net = self.make_net(self.blocks.size)
        self.net.eval()

    @abstractmethod
    def make_net(self, size: int) -> BlockNet:
        """Make the net for blocks of so many samples."""

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        """Draw the weights, take the level of the notes, and cut them into blocks."""
        self.net.draw(generator, self.config.recurrent_gain)
        heard = with_transpositions(clips, self.config.transpose)
        windows = [self._window(clip) for clip in heard]
        if self.config.level == "global":
            everything = np.concatenate(windows).astype(np.float64)
            self.net.mean.fill_(float(everything.mean()))
            self.net.std.fill_(max(float(everything.std()), FAINTEST))
        return self._framed(windows)

    def examples(self, clips: Sequence[Clip]) -> Framed:
        """Cut notes into blocks at the level that was taken in training."""
        return self._framed([self._window(clip) for clip in clips])

    def teacher_forced_error(self, clips: Sequence[Clip]) -> float:
        """Measure how well the next block is predicted where all before it are the true ones.

        Parameters
        ----------
        clips : sequence of Clip
            Learned or not; taken as they are, without transpositions.

        Returns
        -------
        float
            Mean squared error per sample, at the level at which the net hears: for ``global``
            in variances of the training notes, for ``prime`` in energies of the prime.
        """
        blocks, known = (tensor.to(self.device) for tensor in self.examples(clips))
        with torch.inference_mode():
            predicted, _ = self.net(blocks[:, :-1])
            return _mean_square(predicted - blocks[:, 1:], known[:, 1:]).item()

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
            made = self._sounding(made) * scale
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

    def _framed(self, windows: Sequence[Samples]) -> Framed:
        """Cut notes into blocks as the net hears them."""
        prime = self.signal.prime_samples
        notes = [
            self._normal(torch.from_numpy(self.blocks.cut(w, prime)), self._scale([w[:prime]])[0])
            for w in windows
        ]
        known = [torch.ones(len(note), 1) for note in notes]
        pad = nn.utils.rnn.pad_sequence
        return Framed(pad(notes, batch_first=True), pad(known, batch_first=True))

    def _scale(self, primes: Sequence[Samples]) -> Tensor:
        """By what each note is divided before the net hears it, shape (notes, 1, 1)."""
        if self.config.level == "global":
            return torch.ones(len(primes), 1, 1)
        rms = [np.sqrt(np.mean(np.square(p, dtype=np.float64))) for p in primes]
        return torch.tensor(rms, dtype=torch.float32).view(-1, 1, 1)

    def _normal(self, blocks: Tensor, scale: Tensor) -> Tensor:
        """Blocks as the net hears them."""
        return (blocks / scale.clamp(min=FAINTEST) - self.net.mean) / self.net.std

    def _sounding(self, blocks: Tensor) -> Tensor:
        """Blocks as they sound, from what the net predicted."""
        if self.config.denormalisation == "authors":
            return (blocks + self.net.mean) * self.net.std
        return blocks * self.net.std + self.net.mean


R = TypeVar("R", bound=RecurrentConfig)


class Recurrent(Blockwise[R]):
    """A recurrent net that predicts the next block; each kind makes its own :class:`Net`."""

    net: Net

    @abstractmethod
    def make_net(self, size: int) -> Net:
        """Make the net for blocks of so many samples."""

    @property
    def horizon(self) -> int:
        """Blocks that the net runs on while training: ever more, all of them from the half on."""
        whole = self.config.horizon_seconds * self.signal.rate / self.blocks.size
        return max(1, round(whole * min(1.0, 2.0 * self.progress)))

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Mean squared error of the next block, over the blocks that the notes have.

        And, where their weights ask for it, the losses of a stretch on which the net runs on.
        """
        blocks, known = examples
        heard = blocks[:, :-1]
        if self.config.input_noise:
            noise = torch.randn(heard.shape, generator=generator).to(heard.device)
            heard = heard + self.config.input_noise * noise
        predicted, _ = self.net(heard, known=known[:, :-1])
        ahead = slice(1, None) if self.config.target == "next" else slice(None, -1)
        forced = self._error(predicted, blocks[:, ahead], known[:, ahead])
        if not self.config.free_running:
            return forced
        return forced + self._free_running(blocks, known, generator)

    def _free_running(self, blocks: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
        """Hear the notes up to a random point, run on, and weigh up what came."""
        config, rate = self.config, self.signal.rate
        first = self.signal.prime_samples // self.blocks.size
        count = min(self.horizon, blocks.shape[1] - first)
        last = blocks.shape[1] - count
        start = int(torch.randint(first, last + 1, (), generator=generator))
        made = self.net.run_on(blocks[:, :start], count)
        true, known = (tensor[:, start : start + count] for tensor in (blocks, known))
        loss = made.new_zeros(())
        if config.rollout:
            loss = loss + config.rollout * self._error(made, true, known)
        if config.level_loss:
            loss = loss + config.level_loss * level_loss(made, true, known)
        if config.spectrum_loss:
            loss = loss + config.spectrum_loss * spectrum_loss(made, true, known, rate)
        if config.decay_loss:
            loss = loss + config.decay_loss * decay_loss(made, true, known, rate)
        return loss

    def _error(self, predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean squared error, absolute or relative; weight is 1 for a block of the note."""
        if self.config.loss == "relative":
            energy = target.square().mean(dim=2, keepdim=True)
            weight = weight / (energy + QUIETEST)
        return _mean_square(predicted - target, weight)


def _mean_square(error: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over samples, from the shapes (notes, blocks, size), (notes, blocks, 1)."""
    return (error.square() * weight).sum() / (weight.sum() * error.shape[2]).clamp(min=FAINTEST)
