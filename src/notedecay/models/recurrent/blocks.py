"""Framing: a signal as a sequence of blocks, aligned with the end of the prime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError


@dataclass(frozen=True)
class Blocks:
    """Blocks of ``round(rate / resolution)`` samples.

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
        """Count the samples before the first block, so that one ends where the prime does.

        Raises
        ------
        UserError
            Where the prime does not hold a whole block.
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
            Where the prime ends; a block ends there too.

        Returns
        -------
        ndarray of float32, shape (blocks, size)
            Without the lead and without an unfinished block at the end.
        """
        whole = samples[self.lead(prime_samples) :]
        return whole[: len(whole) // self.size * self.size].reshape(-1, self.size)

    def join(self, blocks: Samples, samples: int) -> Samples:
        """Turn blocks, shape (blocks, size), into their first ``samples`` samples."""
        return np.ascontiguousarray(blocks.reshape(-1)[:samples])

    def covering(self, samples: int) -> int:
        """Count the blocks that it takes to hold so many samples."""
        return -(-samples // self.size)
