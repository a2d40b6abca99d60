"""Trivial baselines: silence, and the last block of the prime repeated."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from notedecay.audio.samples import Samples
from notedecay.models.base import Continuator, ContinuatorConfig


class SilenceConfig(ContinuatorConfig):
    """Settings of :class:`Silence`: none."""


class Silence(Continuator[SilenceConfig]):
    """Baseline that continues every prime with silence.

    Examples
    --------
    >>> from notedecay.models import Signal, create
    >>> model = create("silence", Signal(instrument="piano", rate=4000), {})
    >>> model.continue_prime(np.ones(1320, np.float32), 3).tolist()
    [0.0, 0.0, 0.0]
    """

    name: ClassVar[str] = "silence"
    Config: ClassVar[type[ContinuatorConfig]] = SilenceConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:  # noqa: ARG002
        """Return zeros, whatever the prime."""
        return np.zeros(samples, dtype=np.float32)


class RepeatConfig(ContinuatorConfig):
    """Settings of :class:`Repeat`.

    Attributes
    ----------
    seconds : float
        Length of the block that is repeated (s), at most the whole prime.
    """

    seconds: float = Field(default=1 / 60, ge=0.001, le=5.0)


class Repeat(Continuator[RepeatConfig]):
    """Baseline that repeats the prime's last block: the right pitch at best, and no decay.

    Examples
    --------
    >>> from notedecay.models import Signal, create
    >>> signal = Signal(instrument="piano", rate=1000, prime_seconds=0.1)
    >>> model = create("repeat", signal, {"seconds": 0.002})
    >>> model.continue_prime(np.arange(100, dtype=np.float32), 5).tolist()
    [98.0, 99.0, 98.0, 99.0, 98.0]
    """

    name: ClassVar[str] = "repeat"
    Config: ClassVar[type[ContinuatorConfig]] = RepeatConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Repeat the last ``config.seconds`` of the prime."""
        block = min(max(1, round(self.config.seconds * self.signal.rate)), len(prime))
        return np.resize(prime[-block:], samples).astype(np.float32)
