"""The modal model: partials of the prime, each decaying as an ensemble of nets predicts."""

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
from notedecay.models.modal.aftersound import Aftersound, two_stage_decay
from notedecay.models.modal.ensemble import PERSISTS, ModalNet, Prediction, neighbour_weights
from notedecay.models.modal.features import feature_count
from notedecay.models.modal.frontend import PrimeAnalysis, analyse_prime
from notedecay.models.modal.noise_floor import SplitNote, fit_noise_floor, synthesise_noise
from notedecay.models.modal.partials import Array, Partials
from notedecay.models.modal.targets import (
    Targets,
    note_targets,
    originals,
    sample_copies,
    split_at_prime,
    stack,
)
from notedecay.models.transposition import with_transpositions

PERSISTENCE_THRESHOLD = 0.5
"""Probability of persisting from which on a partial keeps its level; below it is attenuated."""
PERSISTENCE_LOSS_WEIGHT = 1.0
AFTERSOUND_LOSS_WEIGHT = 0.3
"""Weights in the loss, relative to the decay times."""
SHARED_VARIANCE = 0.1
"""Share of the variance of sampled decay times that a note's partials have in common."""


class ModalConfig(LearnedConfig):
    """Settings of :class:`Modal`.

    Attributes
    ----------
    units : int
        Width of each net's two hidden layers.
    members : int
        Nets of the ensemble.
    dropout : float
        Dropout rate of the hidden units.
    input_noise : float
        Standard deviation of the noise added to the features in training, relative to theirs.
    beats : bool
        Whether half of the nets take features of how a partial beats.
    neighbours : bool
        Whether half of the nets take the hidden units of a partial's neighbours.
    drop_transients : bool
        Whether partials that probably belong to the attack alone are attenuated.
    aftersound : bool
        Whether partials decay to a weaker, longer aftersound, instead of to nothing.
    noise_floor : bool
        Whether notes decay to the noise of the training recordings, instead of to silence.
    augmentations : int
        Re-excited copies of each training note.
    transpose : int
        Largest transposition of training notes up and down (semitones).
    """

    units: int = Field(default=64, ge=4, le=512)
    members: int = Field(default=16, ge=1, le=64)
    dropout: float = Field(default=0.1, ge=0.0, le=0.8)
    input_noise: float = Field(default=0.2, ge=0.0, le=2.0)
    beats: bool = True
    neighbours: bool = True
    drop_transients: bool = True
    aftersound: bool = True
    noise_floor: bool = True
    augmentations: int = Field(default=8, ge=0, le=64)
    transpose: int = Field(default=0, ge=0, le=6)
    batch: int = Field(default=4, ge=1, le=4096)
    learning_rate: float = Field(default=5e-3, gt=0.0, le=1.0)


class Modal(LearnedContinuator[ModalConfig]):
    """Partials of the prime, continued with predicted decays.

    Frequencies, levels and phases of the partials are analysed in the prime. An ensemble of nets
    predicts from their features a density of each decay time; the continuation takes the time
    that most probably sounds right, or samples. The nets also predict an aftersound for each
    partial and whether it is a transient. In the first 100 ms the continuation crossfades from
    ESPRIT's, which holds the rest of the attack; at the end it decays to the noise floor of the
    training notes.

    Examples
    --------
    >>> from notedecay.models import create
    >>> signal = Signal(instrument="piano", rate=4000)
    >>> model = create("modal", signal, {"units": 8, "members": 2})  # untrained
    >>> t = np.arange(signal.prime_samples) / signal.rate
    >>> prime = (10 ** (-3 * t / 1.5) * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    >>> model.continue_prime(prime, 4000).shape
    (4000,)
    >>> len(model.sample_continuations(prime, 4000, count=3, seed=1))
    3
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
        self.net.init_weights(torch.Generator().manual_seed(0))
        self.net.eval()

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> Examples:
        """Initialise the net and measure the targets of all notes and their augmented copies.

        Raises
        ------
        UserError
            For notes at another rate, too short, or none with a partial of known decay.
        """
        self.net.init_weights(generator)
        transposed = with_transpositions(clips, self.config.transpose)
        measured = [self._note_targets(clip, self.config.augmentations) for clip in transposed]
        examples = stack(_with_partials(measured))
        known = examples.weight > 0
        if not known.any():
            raise UserError("no note has a partial that dies away or holds: nothing to learn from")
        features = examples.features[known]
        self.net.mean.copy_(features.mean(dim=0))
        self.net.std.copy_(features.std(dim=0, correction=0) + 1e-6)
        self.net.log_t60.copy_(examples.log_t60[known].mean())
        # Without transposed copies: they lie so near that every other note would seem novel.
        recorded = measured[self.config.transpose :: 2 * self.config.transpose + 1]
        reference = originals(stack(_with_partials(recorded)))
        self.net.set_reference(reference.features, reference.present)
        if self.config.noise_floor:
            self.net.noise_floor = fit_noise_floor([self._split(clip) for clip in clips])
        return examples

    def examples(self, clips: Sequence[Clip]) -> Targets:
        """Measure the targets of notes, without augmentation."""
        return stack(_with_partials([self._note_targets(clip, 0) for clip in clips]))

    def loss(self, examples: Examples, generator: torch.Generator) -> Tensor:
        """Negative log likelihood of the decay times, plus persistence and aftersound losses."""
        targets = sample_copies(Targets(*examples), generator)
        neighbours = neighbour_weights(targets.features, targets.present)
        noise = torch.randn(targets.features.shape, generator=generator)
        noise = noise.to(targets.features.device)
        features = targets.features + self.config.input_noise * self.net.std * noise
        outputs = self.net.outputs(features, neighbours, generator)
        loss = self._decay_loss(outputs, targets)
        loss = loss + PERSISTENCE_LOSS_WEIGHT * self._persistence_loss(outputs, targets)
        if self.config.aftersound:
            aftersound = self.net.aftersound(outputs)
            loss = loss + AFTERSOUND_LOSS_WEIGHT * aftersound.loss(
                targets.aftersound_depth_db, targets.aftersound_t60
            )
        return loss

    def _decay_loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Negative log likelihood of the decay times, censored for held tones."""
        decays = self.net.decays(outputs)
        each = torch.where(
            targets.censored > 0,
            decays.censored_negative_log_likelihood(targets.log_t60),
            decays.negative_log_likelihood(targets.log_t60),
        )
        return (each.mean(dim=0) * targets.weight).sum() / targets.weight.sum().clamp(min=1e-6)

    def _persistence_loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Cross entropy of which partials persist."""
        persists = targets.persists.expand(outputs.shape[:-1])
        each = nn.functional.binary_cross_entropy_with_logits(
            outputs[..., PERSISTS], persists, reduction="none"
        )
        return (each.mean(dim=0) * targets.present).sum() / targets.present.sum().clamp(min=1.0)

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue each prime by its partials; without any it fades out within 100 ms."""
        return [self._continue(p, n) for p, n in zip(primes, samples, strict=True)]

    def sample_continuations(
        self, prime: Samples, samples: int, *, count: int, seed: int
    ) -> list[Samples]:
        """Sample continuations that differ in their decay times; parameters as in the base class.

        The partials of one continuation are correlated: where one decays slower than expected,
        the others tend to as well.
        """
        rng = torch.Generator().manual_seed(seed)
        prediction = self._predict(prime)
        partials = len(prediction.persists)
        sampled = []
        for _ in range(count):
            shared = torch.randn((), generator=rng) * SHARED_VARIANCE**0.5
            own = torch.randn(partials, generator=rng) * (1 - SHARED_VARIANCE) ** 0.5
            t60 = prediction.decays.quantile(torch.special.ndtr(shared + own).to(self.device))
            sampled.append(self._synthesise(prime, t60, prediction, samples))
        return sampled

    def _continue(self, prime: Samples, samples: int) -> Samples:
        prediction = self._predict(prime)
        return self._synthesise(prime, prediction.decays.point_estimate(), prediction, samples)

    @torch.inference_mode()
    def _predict(self, prime: Samples) -> Prediction:
        """Predict the decays of a prime's partials."""
        features = torch.from_numpy(self._analyse(prime).features).float()
        prediction: Prediction = self.net(features.to(self.device))
        return prediction

    def _synthesise(
        self, prime: Samples, t60: Tensor, prediction: Prediction, samples: int
    ) -> Samples:
        """Synthesise the partials and the noise, crossfaded from ESPRIT's continuation."""
        peak = np.max(np.abs(prime), initial=0.0).astype(np.float64)
        analysis = self._analyse(prime)
        gain = torch.ones_like(t60)
        if self.config.drop_transients:
            gain = (prediction.persists / PERSISTENCE_THRESHOLD).clamp(max=1.0)
        aftersound = prediction.aftersound if self.config.aftersound else None
        rate = self.signal.rate
        made = synthesise_partials(analysis.partials, t60, gain, aftersound, rate, samples)
        made += synthesise_noise(self.net.noise_floor, samples, prime, rate)
        start = analysis.crossfade[:samples]
        fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(len(start)) / len(analysis.crossfade))
        made[: len(start)] += (start - made[: len(start)]) * fade
        return np.asarray(peak * made, dtype=np.float32)

    def _analyse(self, prime: Samples) -> PrimeAnalysis:
        return analyse_prime(np.ascontiguousarray(prime, dtype=np.float32).tobytes(), self.signal)

    def _note_targets(self, clip: Clip, augmentations: int) -> tuple[Targets, ...]:
        """Measure the targets of a note and its copies."""
        prime = self.signal.prime_samples
        if clip.rate != self.signal.rate or len(clip.samples) < prime + clip.rate // 5:
            raise UserError(
                f"note {clip.id} has {len(clip.samples)} samples at {clip.rate} Hz; learning needs "
                f"200 ms after the prime at {self.signal.rate} Hz: prepare the notes again"
            )
        samples = np.ascontiguousarray(clip.samples, dtype=np.float32)
        return note_targets(samples.tobytes(), clip.rate, prime, augmentations, self.cache)

    def _split(self, clip: Clip) -> SplitNote:
        """Split a note at the end of its prime; both parts divided by the prime's peak."""
        prime, after = split_at_prime(clip.samples, self.signal.prime_samples)
        return SplitNote(prime, after, clip.rate)


def _with_partials(notes: Sequence[tuple[Targets, ...]]) -> list[tuple[Targets, ...]]:
    """Leave out the notes whose primes have no partials."""
    return [copies for copies in notes if len(copies[0].features)]


def synthesise_partials(
    partials: Partials,
    t60: Tensor,
    gain: Tensor,
    aftersound: Aftersound | None,
    rate: int,
    samples: int,
) -> Array:
    """Synthesise decaying partials, each a damped sinusoid with or without an aftersound.

    Parameters
    ----------
    partials : Partials
        Partials of the prime.
    t60 : tensor, shape (partials,)
        Decay time that each shall measure (s).
    gain : tensor, shape (partials,)
        Factor of each amplitude.
    aftersound : Aftersound or None
        Aftersound of each; None for none.
    rate, samples : int
        Hz, and number of samples.

    Returns
    -------
    ndarray of float64, shape (samples,)
    """
    first, factor, frequency_hz = _array(t60), _array(gain), partials.frequency_hz
    amplitude = partials.amplitude
    if aftersound is not None:
        depth_db, second_t60 = _array(aftersound.depth_db), _array(aftersound.log_t60.exp())
        first, second, share = two_stage_decay(first, depth_db, second_t60)
        first = np.concatenate([first, second])
        factor = np.concatenate([factor * (1 + share), -factor * share])
        frequency_hz, amplitude = np.tile(frequency_hz, 2), np.tile(amplitude, 2)
    poles = np.exp((2j * np.pi * frequency_hz - 3 * np.log(10) / first) / rate)
    return synthesise(poles, amplitude * factor, samples)


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.cpu().double().numpy())
