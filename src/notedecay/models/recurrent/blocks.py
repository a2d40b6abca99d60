"""Framing: a signal as a sequence of blocks, one of which ends where the prime does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError


@dataclass(frozen=True)
class Blocks:
    """Framing of a signal into blocks of ``round(rate / resolution)`` samples.

    Attributes
    ----------
    rate : int
        Hz.
    resolution : float
        Blocks per second.
    """

    rate: int
    resolution: float

    @property
    def size(self) -> int:
        """Samples in a block."""
        return round(self.rate / self.resolution)

    def lead(self, prime_samples: int) -> int:
        """Count the samples before the first block, so that a block ends where the prime does.

        Raises
        ------
        UserError
            For a prime shorter than a block.
        """
        if not 1 <= self.size <= prime_samples:
            raise UserError(
                f"resolution {self.resolution:g} makes blocks of {self.size} samples from a prime "
                f"of {prime_samples}: choose between {self.rate / max(1, prime_samples):.3g} and "
                f"{self.rate} blocks per second, or a longer prime"
            )
        return prime_samples % self.size

    def cut(self, samples: Samples, prime_samples: int) -> Samples:
        """Cut a signal into whole blocks.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            From the onset.
        prime_samples : int
            Length of the prime; a block ends there.

        Returns
        -------
        ndarray of float32, shape (blocks, size)
            Without the lead, and without an incomplete block at the end.
        """
        whole = samples[self.lead(prime_samples) :]
        return whole[: len(whole) // self.size * self.size].reshape(-1, self.size)

    def join(self, blocks: Samples, samples: int) -> Samples:
        """Join blocks, shape (blocks, size), and return their first ``samples`` samples."""
        return np.ascontiguousarray(blocks.reshape(-1)[:samples])

    def covering(self, samples: int) -> int:
        """Count the blocks that hold at least ``samples`` samples."""
        return -(-samples // self.size)
