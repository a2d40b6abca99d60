"""The net of the variational recurrent model: a hidden cause behind each block.

Chung et al., "A recurrent latent variable model for sequential data", 2015.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from notedecay.models.recurrent.gaussian import Gaussian, gaussian
from notedecay.models.recurrent.net import ACTIVATIONS, Activation, BlockNet

State = tuple[Tensor, Tensor]
"""Output and cell of the LSTM, each of shape (notes, units)."""

LATENT_BOUNDS = (-8.0, 4.0)
"""Of the log-variances of causes."""

LOUDEST = 6.0
"""Log-variance of an output sample, far above the level of any note."""


class Inferred(NamedTuple):
    """What the encoder makes of some blocks, each of shape (notes, blocks, ...)."""

    memory: Tensor
    """What was remembered before each block."""
    posterior: Gaussian
    """Of the cause, given the block and what was before."""
    cause: Tensor
    """Drawn from it, as its extractor sees it."""
    after: Tensor
    """What is remembered after each block."""


class LatentNet(BlockNet):
    """Encoder, prior, decoder and recurrence over blocks.

    With ``x`` a block, ``z`` its cause and ``h`` the memory of all before: prior ``p(z | h)``,
    encoder ``q(z | x, h)``, decoder ``p(x | z, h)``, all Gaussian with independent numbers;
    then an LSTM takes ``x`` and ``z`` into ``h``.

    Parameters
    ----------
    size : int
        Samples in a block.
    units : int
        Width of all layers.
    latent : int
        Numbers in a cause.
    activation : str
        Of all dense layers that are not the last.
    least_std : float
        Smallest standard deviation of the output.
    seed : int, optional
        With it :meth:`run_on` draws causes and blocks; without, it takes their means.
    """

    def __init__(
        self,
        size: int,
        units: int,
        latent: int,
        *,
        activation: Activation,
        least_std: float,
        seed: int | None,
    ) -> None:
        super().__init__()
        self.size, self.units, self.latent, self.seed = size, units, latent, seed
        self.output_bounds = (2 * math.log(least_std), LOUDEST)
        self.activation = ACTIVATIONS[activation]()
        self.block_features = nn.Linear(size, units)
        self.cause_features = nn.Linear(latent, units)
        self.encoder_block = nn.Linear(units, units)
        self.encoder_memory = nn.Linear(units, units, bias=False)
        self.encoder = nn.Linear(units, 2 * latent)
        self.prior_memory = nn.Linear(units, units)
        self.prior = nn.Linear(units, 2 * latent)
        self.decoder_inward = nn.Linear(2 * units, units)
        self.decoder = nn.Linear(units, 2 * size)
        self.lstm = nn.LSTM(2 * units, units, batch_first=True)

    @property
    def core(self) -> nn.LSTM:
        """The recurrent layer."""
        return self.lstm

    def infer(self, blocks: Tensor, noise: Tensor) -> tuple[Inferred, State]:
        """Find the causes of blocks, one after the other.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised.
        noise : tensor, shape (notes, blocks, latent)
            Standard normal; zeros make each cause the posterior's mean.

        Returns
        -------
        inferred : Inferred
        state : pair of tensors
            To run on from.
        """
        features = self.activation(self.block_features(blocks))
        evidence = self.encoder_block(features)
        into, across, bias_into, bias_across = self.lstm.all_weights[0]
        driven = linear(features, into[:, : self.units], bias_into + bias_across)
        driving = into[:, self.units :].T
        hidden = cell = blocks.new_zeros(len(blocks), self.units)
        steps = []
        for seen, drive, dice in zip(
            *(t.unbind(1) for t in (evidence, driven, noise)), strict=True
        ):
            memory = hidden
            outputs = self.encoder(self.activation(seen + self.encoder_memory(memory)))
            posterior = gaussian(outputs, *LATENT_BOUNDS)
            cause = self._features_of(posterior.at(dice))
            hidden, cell = _remember(drive + cause @ driving + memory @ across.T, cell)
            steps.append((memory, *posterior, cause, hidden))
        before, mean, log_variance, causes, after = (
            torch.stack(step, dim=1) for step in zip(*steps, strict=True)
        )
        return Inferred(before, Gaussian(mean, log_variance), causes, after), (hidden, cell)

    def expect(self, memory: Tensor) -> Gaussian:
        """Prior of a cause given what was before, from the shape (..., units)."""
        return gaussian(self.prior(self.activation(self.prior_memory(memory))), *LATENT_BOUNDS)

    def decode(self, cause: Tensor, memory: Tensor) -> Gaussian:
        """Distribution of a block; both of shape (..., units), the cause after its extractor."""
        joined = torch.cat([cause, memory], dim=-1)
        outputs = self.decoder(self.activation(self.decoder_inward(joined)))
        return gaussian(outputs, *self.output_bounds)

    def bound(self, blocks: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The two halves of the evidence lower bound of each block.

        Returns
        -------
        log_density, divergence : tensors, shape (notes, blocks)
            Nats; their difference is the bound.
        """
        inferred, _ = self.infer(blocks, noise)
        output = self.decode(inferred.cause, inferred.memory)
        prior = self.expect(inferred.memory)
        return (
            output.log_density(blocks).sum(dim=2),
            inferred.posterior.divergence(prior).sum(dim=2),
        )

    def forward(self, blocks: Tensor) -> tuple[Tensor, State]:
        """Predict the next block after each block: the output's mean at the prior's mean.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
            Normalised; heard through the posterior's means.

        Returns
        -------
        predicted : tensor, shape (notes, blocks, size)
        state : pair of tensors
            To run on from.
        """
        inferred, state = self.infer(blocks, blocks.new_zeros(*blocks.shape[:2], self.latent))
        cause = self._features_of(self.expect(inferred.after).mean)
        return self.decode(cause, inferred.after).mean, state

    def run_on(self, heard: Tensor, blocks: int) -> Tensor:
        """Make blocks from the prior, each step in constant time.

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
        _, state = self(heard)
        chances = [] if self.seed is None else [_chance(self.seed, note) for note in heard]
        made = []
        for _ in range(blocks):
            noise = torch.zeros(len(heard), self.latent + self.size)
            for note, chance in zip(noise, chances, strict=False):
                note.normal_(generator=chance)
            block, state = self._step(state, noise.to(heard.device))
            made.append(block)
        return torch.stack(made, dim=1)

    def _step(self, state: State, noise: Tensor) -> tuple[Tensor, State]:
        """Make one block, and remember it; noise of shape (notes, latent + size)."""
        hidden, cell = state
        cause = self._features_of(self.expect(hidden).at(noise[:, : self.latent]))
        block = self.decode(cause, hidden).at(noise[:, self.latent :])
        joined = torch.cat([self.activation(self.block_features(block)), cause], dim=1)
        into, across, bias_into, bias_across = self.lstm.all_weights[0]
        gates = linear(joined, into, bias_into + bias_across) + hidden @ across.T
        return block, _remember(gates, cell)

    def _features_of(self, cause: Tensor) -> Tensor:
        """A cause as decoder and recurrence see it."""
        features: Tensor = self.activation(self.cause_features(cause))
        return features


def _chance(seed: int, heard: Tensor) -> torch.Generator:
    """Dice of a prime: its own, so that two primes have no noise in common."""
    text = seed.to_bytes(8, "big") + heard.cpu().numpy().tobytes()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def _remember(gates: Tensor, cell: Tensor) -> State:
    """One step of an LSTM."""
    write, forget, candidate, read = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(candidate)
    return torch.sigmoid(read) * torch.tanh(cell), cell
