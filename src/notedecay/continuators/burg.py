"""Burg's linear prediction: the prime's own resonances ring on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from notedecay.audio.prediction import continued
from notedecay.continuators.base import Continuator, ContinuatorConfig
from notedecay.notes.note import Samples


class BurgConfig(ContinuatorConfig):
    """Settings of :class:`Burg`.

    Attributes
    ----------
    order : int
        Coefficients of the predictor; at most a third of the prime is used.
    """

    order: int = Field(default=512, ge=2, le=4096)


class Burg(Continuator[BurgConfig]):
    """Linear prediction with Burg's coefficients, run on beyond the prime.

    References
    ----------
    J. P. Burg, "Maximum entropy spectral analysis", 37th meeting of the Society of
    Exploration Geophysicists, 1967. I. Kauppinen, K. Roth, "Audio signal extrapolation",
    DAFx 2002.
    """

    name: ClassVar[str] = "burg"
    Config: ClassVar[type[ContinuatorConfig]] = BurgConfig

    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Predict sample after sample from the last ``order``."""
        return continued(prime, samples, order=self.config.order)
