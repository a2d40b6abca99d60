"""Modal continuation: partials heard in the prime, each dying away as learned from other notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models.base import ContinuatorConfig, Signal
from notedecay.models.baselines.esprit import synthesise
from notedecay.models.learned import Examples, LearnedConfig, LearnedContinuator
from notedecay.models.modal.aftersound import Aftersound, stages
from notedecay.models.modal.ensemble import LASTS, ModalNet, Told, neighbourhoods
from notedecay.models.modal.features import feature_count
from notedecay.models.modal.frontend import Heard, hear
from notedecay.models.modal.noise_floor import Halves, hiss, noise_floor
from notedecay.models.modal.partials import Array, Partials
from notedecay.models.modal.targets import (
    Lesson,
    as_played,
    lessons,
    one_stroke,
    prime_and_after,
    stack,
)
from notedecay.models.transposition import with_transpositions

SURE = 0.5
"""Chance of lasting from which on a partial keeps its level; what likely will not is fainter."""
FOREIGN_WEIGHT = 1.0
"""Of telling what lasts, beside the decay times, in the loss."""
AFTER_WEIGHT = 0.3
"""Of telling what partials fall to."""
SHARED = 0.1
"""Share of the uncertainty that a note's partials have in common."""


class ModalConfig(LearnedConfig):
    """Settings of :class:`Modal`.

    Attributes
    ----------
    units : int
        Width of each net's two hidden layers.
    members : int
        Nets whose densities are averaged.
    dropout : float
        Share of the hidden units left out while training.
    input_noise : float
        Standard deviation of the noise on the features while training, in theirs.
    beats : bool
        Whether nets are told how few modes that beat would go on.
    neighbours : bool
        Whether partials of a note hear what the others show.
    weed : bool
        Whether what is taken for a sound of the attack alone is left to the joint.
    aftersound : bool
        Whether partials fall to a weaker and longer decay, instead of to nothing.
    hiss : bool
        Whether notes die away into the noise of the recordings, instead of into silence.
    strokes : int
        Other strokes of each note that are made of it, to be learned as well.
    transpose : int
        Semitones up and down to which each note is transposed, to be learned as well.
    """

    units: int = Field(default=64, ge=4, le=512)
    members: int = Field(default=16, ge=1, le=64)
    dropout: float = Field(default=0.1, ge=0.0, le=0.8)
    input_noise: float = Field(default=0.2, ge=0.0, le=2.0)
    beats: bool = True
    neighbours: bool = True
    weed: bool = True
    aftersound: bool = True
    hiss: bool = True
    strokes: int = Field(default=8, ge=0, le=64)
    transpose: int = Field(default=0, ge=0, le=6)
    batch: int = Field(default=4, ge=1, le=4096)
    learning_rate: float = Field(default=5e-3, gt=0.0, le=1.0)


class Modal(LearnedContinuator[ModalConfig]):
    """Damped partials whose decay comes from nets trained through their envelopes.

    The prime gives frequencies, levels and phases. How each partial dies away
    is told by small nets from what the prime shows of it: they give a density of its decay
    time, of which the time that most likely sounds right is taken, or samples are drawn. At
    the joint all that the partials leave out, the rest of the attack and its noise, rings on
    by ESPRIT and fades. Partials fall to longer decays, as the nets tell too, and the note to
    noise like that in which the notes learned from end.
    """

    name: ClassVar[str] = "modal"
    Config: ClassVar[type[ContinuatorConfig]] = ModalConfig
    net: ModalNet

    def __init__(self, signal: Signal, config: ModalConfig) -> None:
        super().__init__(signal, config)
        self.net = ModalNet(
            feature_count(),
            config.units,
            config.members,
            config.dropout,
            neighbours=config.neighbours,
            beats=config.beats,
        )
        self.net.draw(torch.Generator().manual_seed(0))
        self.net.eval()

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        """Draw the weights, hear every prime, and measure how its partials really die away."""
        self.net.draw(generator)
        copies = list(with_transpositions(clips, self.config.transpose))
        examples = self._lessons(copies, self.config.strokes)
        known = examples.weight > 0
        if not known.any():
            raise UserError("no note has a partial that dies away or holds: nothing to learn from")
        features = examples.features[known]
        self.net.mean.copy_(features.mean(dim=0))
        self.net.std.copy_(features.std(dim=0, correction=0) + 1e-6)
        self.net.log_t60.copy_(examples.log_t60[known].mean())
        # Transposed copies would lie so near that every other note would seem a stranger.
        heard = as_played(self._lessons(clips, self.config.strokes))
        self.net.remember(heard.features, heard.present)
        if self.config.hiss:
            self.net.floor = noise_floor([self._cut(clip) for clip in clips])
        return examples

    def examples(self, clips: Sequence[Clip]) -> Lesson:
        """Hear every prime, and measure how its partials really die away."""
        return self._lessons(clips, 0)

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """How surprising the true decay times are, and which partials last."""
        told = one_stroke(Lesson(*examples), generator)
        near = neighbourhoods(told.features, told.present)
        noise = torch.randn(told.features.shape, generator=generator).to(told.features.device)
        features = told.features + self.config.input_noise * self.net.std * noise
        said = self.net.said(features, near, generator)
        decays = self.net.decays(said)
        surprise = torch.where(
            told.holds > 0, decays.surprise_beyond(told.log_t60), decays.surprise(told.log_t60)
        )
        decay = (surprise.mean(dim=0) * told.weight).sum() / told.weight.sum().clamp(min=1e-6)
        lasts = told.lasts.expand(said.shape[:-1])
        wrong = nn.functional.binary_cross_entropy_with_logits(
            said[..., LASTS], lasts, reduction="none"
        )
        foreign = (wrong.mean(dim=0) * told.present).sum() / told.present.sum().clamp(min=1.0)
        loss = decay + FOREIGN_WEIGHT * foreign
        if self.config.aftersound:
            after = self.net.aftersound(said)
            loss = loss + AFTER_WEIGHT * after.wrong(told.depth_db, told.after_t60)
        return loss

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue each prime by its partials; without any it fades within 100 ms, into hiss."""
        return [self._continue(p, n) for p, n in zip(primes, samples, strict=True)]

    def draw_continuations(
        self, prime: Samples, samples: int, *, count: int, seed: int
    ) -> list[Samples]:
        """Draw continuations from all that the prime leaves open, instead of the likeliest.

        Parameters
        ----------
        prime : ndarray of float32, shape (signal.prime_samples,)
            As :meth:`continue_prime` takes it.
        samples : int
            How many samples to make of each.
        count : int
            How many to draw.
        seed : int
            The same seed draws the same.

        Returns
        -------
        list of ndarray of float32, shape (samples,) each
            They differ in their decays alone. The partials of one sound together: where one
            lasts longer than expected, the others tend to as well.
        """
        chance = torch.Generator().manual_seed(seed)
        told = self._foretell(prime)
        partials = len(told.lasts)
        drawn = []
        for _ in range(count):
            shared = torch.randn((), generator=chance) * SHARED**0.5
            own = torch.randn(partials, generator=chance) * (1 - SHARED) ** 0.5
            t60 = told.decays.quantile(torch.special.ndtr(shared + own).to(self.device))
            drawn.append(self._sound(prime, t60, told, samples))
        return drawn

    def _continue(self, prime: Samples, samples: int) -> Samples:
        told = self._foretell(prime)
        return self._sound(prime, told.decays.likeliest(), told, samples)

    @torch.inference_mode()
    def _foretell(self, prime: Samples) -> Told:
        """What the nets say of a prime's partials."""
        features = torch.from_numpy(self._hear(prime).features).float()
        told: Told = self.net(features.to(self.device))
        return told

    def _sound(self, prime: Samples, t60: Tensor, told: Told, samples: int) -> Samples:
        """Let the prime's partials die away, joined to what rings on of the rest."""
        peak = np.max(np.abs(prime), initial=0.0).astype(np.float64)
        heard = self._hear(prime)
        gain = (told.lasts / SURE).clamp(max=1.0) if self.config.weed else torch.ones_like(t60)
        after = told.after if self.config.aftersound else None
        made = ring(heard.partials, t60, gain, after, self.signal.rate, samples)
        made += hiss(self.net.floor, samples, prime, self.signal.rate)
        joint = heard.joint[:samples]
        fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(len(joint)) / len(heard.joint))
        made[: len(joint)] += (joint - made[: len(joint)]) * fade
        return np.asarray(peak * made, dtype=np.float32)

    def _hear(self, prime: Samples) -> Heard:
        return hear(np.ascontiguousarray(prime, dtype=np.float32).tobytes(), self.signal)

    def _lessons(self, clips: Sequence[Clip], others: int) -> Lesson:
        """What notes teach, and as many other strokes of each; notes without partials nothing."""
        taught = [self._taught(clip, others) for clip in clips]
        return stack([strokes for strokes in taught if len(strokes[0].features)])

    def _taught(self, clip: Clip, others: int) -> tuple[Lesson, ...]:
        prime = self.signal.prime_samples
        if clip.rate != self.signal.rate or len(clip.samples) < prime + clip.rate // 5:
            raise UserError(
                f"note {clip.id} has {len(clip.samples)} samples at {clip.rate} Hz; learning needs "
                f"200 ms after the prime at {self.signal.rate} Hz: prepare the notes again"
            )
        samples = np.ascontiguousarray(clip.samples, dtype=np.float32)
        return lessons(samples.tobytes(), clip.rate, prime, others)

    def _cut(self, clip: Clip) -> Halves:
        """Prime and what follows it, both divided by the prime's peak."""
        prime, after = prime_and_after(clip.samples, self.signal.prime_samples)
        return Halves(prime, after, clip.rate)


def ring(
    partials: Partials,
    t60: Tensor,
    gain: Tensor,
    after: Aftersound | None,
    rate: int,
    samples: int,
) -> Array:
    """Let partials ring on and die away, each a damped sinusoid with a weaker, longer one.

    Parameters
    ----------
    partials : Partials
        Of the prime.
    t60 : tensor, shape (partials,)
        How long each takes for 60 dB, as it is measured (s).
    gain : tensor, shape (partials,)
        Factor of each amplitude.
    after : Aftersound or None
        What they fall to; None for nothing.
    rate, samples : int
        Hz, and how many samples to make.

    Returns
    -------
    ndarray of float64, shape (samples,)
    """
    first, factor, frequency_hz = _array(t60), _array(gain), partials.frequency_hz
    amplitude = partials.amplitude
    if after is not None:
        first, second, weaker = stages(first, _array(after.depth_db), _array(after.log_t60.exp()))
        first = np.concatenate([first, second])
        factor = np.concatenate([factor * (1 + weaker), -factor * weaker])
        frequency_hz, amplitude = np.tile(frequency_hz, 2), np.tile(amplitude, 2)
    poles = np.exp((2j * np.pi * frequency_hz - 3 * np.log(10) / first) / rate)
    return synthesise(poles, amplitude * factor, samples)


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.cpu().double().numpy())
