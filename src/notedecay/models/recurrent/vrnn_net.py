"""Net of the variational recurrent model: a latent code for each block.

Chung et al., "A recurrent latent variable model for sequential data", 2015.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from notedecay.models.recurrent.feedback import (
    FoldedFeedback,
    LayerState,
    free_running,
    layer_gates,
    lstm_step,
)
from notedecay.models.recurrent.gaussian import Gaussian, gaussian
from notedecay.models.recurrent.net import ACTIVATIONS, Activation, BlockNet

State = tuple[Tensor, Tensor]
"""Hidden and cell state of the LSTM, each of shape (notes, units)."""

LATENT_BOUNDS = (-8.0, 4.0)
"""Bounds of the log-variances of codes."""

MAX_LOG_VARIANCE = 6.0
"""Bound of the log-variance of an output sample, far above the level of any note."""


class Inferred(NamedTuple):
    """Encoded blocks; each tensor has the shape (notes, blocks, ...)."""

    before: Tensor
    """Hidden state before each block."""
    posterior: Gaussian
    """Distribution of the code, given the block and the hidden state before."""
    code: Tensor
    """Features of a code sampled from it."""
    after: Tensor
    """Hidden state after each block."""


class LatentNet(BlockNet):
    """Encoder, prior, decoder and recurrence over blocks.

    With ``x`` a block, ``z`` its code and ``h`` the hidden state before it: prior ``p(z | h)``,
    encoder ``q(z | x, h)`` and decoder ``p(x | z, h)`` are Gaussians with independent elements;
    then an LSTM updates ``h`` by ``x`` and ``z``.

    Parameters
    ----------
    size : int
        Samples in a block.
    units : int
        Width of all layers.
    latent : int
        Dimensions of a code.
    activation : str
        Activation of all dense layers but the last ones.
    min_std : float
        Smallest standard deviation of the output.
    seed : int, optional
        With it :meth:`stream` samples codes and blocks; without, it takes their means.
    """

    def __init__(
        self,
        size: int,
        units: int,
        latent: int,
        *,
        activation: Activation,
        min_std: float,
        seed: int | None,
    ) -> None:
        super().__init__()
        self.size, self.units, self.latent, self.seed = size, units, latent, seed
        self.output_bounds = (2 * math.log(min_std), MAX_LOG_VARIANCE)
        self.activation = ACTIVATIONS[activation]()
        self.block_features = nn.Linear(size, units)
        self.code_features = nn.Linear(latent, units)
        self.encoder_block = nn.Linear(units, units)
        self.encoder_memory = nn.Linear(units, units, bias=False)
        self.encoder = nn.Linear(units, 2 * latent)
        self.prior_memory = nn.Linear(units, units)
        self.prior = nn.Linear(units, 2 * latent)
        self.decoder_input = nn.Linear(2 * units, units)
        self.decoder = nn.Linear(units, 2 * size)
        self.lstm = nn.LSTM(2 * units, units, batch_first=True)
        self._folded = FoldedFeedback()

    @property
    def core(self) -> nn.LSTM:
        """Recurrent layer."""
        return self.lstm

    def infer(self, blocks: Tensor, noise: Tensor) -> tuple[Inferred, State]:
        """Encode blocks, one after the other.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        noise : tensor, shape (notes, blocks, latent)
            Standard normal; zeros make each code the posterior's mean.

        Returns
        -------
        inferred : Inferred
        state : pair of tensors
            Hidden and cell state after the last block.
        """
        features = self.activation(self.block_features(blocks))
        evidence = self.encoder_block(features)
        weight, recurrent, bias, recurrent_bias = self.lstm.all_weights[0]
        block_weight, code_weight = weight[:, : self.units], weight[:, self.units :].T
        from_blocks = linear(features, block_weight, bias + recurrent_bias)
        hidden = cell = blocks.new_zeros(len(blocks), self.units)
        steps = []
        for block_evidence, from_block, step_noise in zip(
            *(t.unbind(1) for t in (evidence, from_blocks, noise)), strict=True
        ):
            before = hidden
            outputs = self.encoder(self.activation(block_evidence + self.encoder_memory(before)))
            posterior = gaussian(outputs, *LATENT_BOUNDS)
            code = self._features_of(posterior.sample(step_noise))
            gates = from_block + code @ code_weight + before @ recurrent.T
            hidden, cell = lstm_step(gates, cell)
            steps.append((before, *posterior, code, hidden))
        befores, mean, log_variance, codes, after = (
            torch.stack(step, dim=1) for step in zip(*steps, strict=True)
        )
        return Inferred(befores, Gaussian(mean, log_variance), codes, after), (hidden, cell)

    def prior_of(self, hidden: Tensor) -> Gaussian:
        """Compute the prior of a code from the hidden state, shape (..., units)."""
        return gaussian(self.prior(self.activation(self.prior_memory(hidden))), *LATENT_BOUNDS)

    def decode(self, code: Tensor, hidden: Tensor) -> Gaussian:
        """Compute the distribution of a block from code features and hidden state (..., units)."""
        joined = torch.cat([code, hidden], dim=-1)
        outputs = self.decoder(self.activation(self.decoder_input(joined)))
        return gaussian(outputs, *self.output_bounds)

    def bound(self, blocks: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the two terms of each block's evidence lower bound.

        Parameters
        ----------
        blocks, noise : tensor
            As :meth:`infer` takes them.

        Returns
        -------
        log_density, divergence : tensors, shape (notes, blocks)
            Nats; their difference is the bound.
        """
        inferred, _ = self.infer(blocks, noise)
        output = self.decode(inferred.code, inferred.before)
        prior = self.prior_of(inferred.before)
        return (
            output.log_density(blocks).sum(dim=2),
            inferred.posterior.divergence(prior).sum(dim=2),
        )

    def forward(self, blocks: Tensor) -> tuple[Tensor, State]:
        """Predict the next block after each block: the output's mean at the prior's mean.

        The blocks are encoded by the posterior's means; shapes as in :class:`BlockNet`.
        """
        inferred, state = self.infer(blocks, blocks.new_zeros(*blocks.shape[:2], self.latent))
        code = self._features_of(self.prior_of(inferred.after).mean)
        return self.decode(code, inferred.after).mean, state

    @property
    def is_affine(self) -> bool:
        """Whether there is no activation between two steps, and nothing is sampled."""
        return self.seed is None and isinstance(self.activation, nn.Identity)

    def feedback(self, hidden: Tensor, noise: Tensor | None = None) -> Tensor:
        """Generate a block and compute the gates it drives; see :class:`.feedback.FedBack`.

        Code and block are means, or samples where there is standard normal noise, of the shape
        (notes, latent + size).
        """
        prior = self.prior_of(hidden)
        z = prior.mean if noise is None else prior.sample(noise[:, : self.latent])
        code = self._features_of(z)
        output = self.decode(code, hidden)
        block = output.mean if noise is None else output.sample(noise[:, self.latent :])
        joined = torch.cat([self.activation(self.block_features(block)), code], dim=1)
        return torch.cat([layer_gates(self.lstm, 0, joined, hidden), block], dim=1)

    def stream(self, prime: Tensor) -> Iterator[Tensor]:
        """Generate blocks from the prior; shapes as in :class:`BlockNet`."""
        _, state = self(prime)
        feedback = self._folded.of(self, self.units)
        if self.seed is not None:
            rngs = [_generator(self.seed, note) for note in prime]
            feedback = partial(self._sampled_feedback, rngs)
        return free_running(self.lstm, [LayerState(*state)], self.size, feedback)

    def _sampled_feedback(self, rngs: Sequence[torch.Generator], hidden: Tensor) -> Tensor:
        """Feedback with noise from the generator of each note."""
        noise = torch.empty(len(hidden), self.latent + self.size)
        for note, rng in zip(noise, rngs, strict=True):
            note.normal_(generator=rng)
        return self.feedback(hidden, noise.to(hidden.device))

    def _features_of(self, code: Tensor) -> Tensor:
        """Compute the features of a code, the input of decoder and recurrence."""
        features: Tensor = self.activation(self.code_features(code))
        return features


def _generator(seed: int, prime: Tensor) -> torch.Generator:
    """Seed a generator by the prime, so that two primes have no noise in common."""
    text = seed.to_bytes(8, "big") + prime.cpu().numpy().tobytes()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
