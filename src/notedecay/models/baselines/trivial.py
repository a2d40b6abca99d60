"""The two continuators that any other must beat: silence, and the last block repeated."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from notedecay.audio.samples import Samples
from notedecay.models.base import Continuator, ContinuatorConfig


class SilenceConfig(ContinuatorConfig):
    """Silence has nothing to set."""


class Silence(Continuator[SilenceConfig]):
    """Nothing follows the prime."""

    name: ClassVar[str] = "silence"
    Config: ClassVar[type[ContinuatorConfig]] = SilenceConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:  # noqa: ARG002
        """Zeros, whatever the prime."""
        return np.zeros(samples, dtype=np.float32)


class RepeatConfig(ContinuatorConfig):
    """Settings of :class:`Repeat`.

    Attributes
    ----------
    seconds : float
        Length of the block that is repeated (s); at most the whole prime is.
    """

    seconds: float = Field(default=1 / 60, ge=0.001, le=5.0)


class Repeat(Continuator[RepeatConfig]):
    """The prime's last block over and over: the right pitch at best, and no decay."""

    name: ClassVar[str] = "repeat"
    Config: ClassVar[type[ContinuatorConfig]] = RepeatConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Repeat the last ``config.seconds`` of the prime."""
        block = min(max(1, round(self.config.seconds * self.signal.rate)), len(prime))
        return np.resize(prime[-block:], samples).astype(np.float32)
