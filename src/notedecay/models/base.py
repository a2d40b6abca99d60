"""What every continuator can do: continue a prime, be saved and loaded."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.data.note import Clip
from notedecay.models import checksums

DESCRIPTION = "continuator.json"
"""File in a continuator's folder that says what it is."""

FORMAT = 1
"""Version of that file's layout."""


class Signal(BaseModel):
    """How a model hears: kept with it, so that any recording can be made ready for it.

    Attributes
    ----------
    instrument : str
        What it was fitted to.
    rate : int
        Hz.
    prime_seconds : float
        Length of the prime, counted from the onset (s).
    highpass_hz : float
        Corner of the rumble filter (Hz).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instrument: str
    rate: int = Field(ge=1000, le=192_000)
    prime_seconds: float = Field(default=0.33, ge=0.05, le=5.0)
    highpass_hz: float = Field(default=25.0, ge=0.0, le=200.0)

    @property
    def prime_samples(self) -> int:
        """Length of the prime in samples."""
        return round(self.prime_seconds * self.rate)


class ContinuatorConfig(BaseModel):
    """Base of each continuator's typed settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


C = TypeVar("C", bound=ContinuatorConfig)


class Continuator(ABC, Generic[C]):
    """Anything that continues a prime.

    One that learns is a :class:`~notedecay.models.learned.LearnedContinuator`;
    ``notedecay.training.fit`` takes any.

    Parameters
    ----------
    signal : Signal
        How the continuator hears.
    config : ContinuatorConfig
        Its own settings.
    """

    name: ClassVar[str]
    learned: ClassVar[bool] = False
    files: ClassVar[tuple[str, ...]] = (DESCRIPTION,)
    Config: ClassVar[type[ContinuatorConfig]]

    def __init__(self, signal: Signal, config: C) -> None:
        self.signal = signal
        self.config = config

    @abstractmethod
    def continue_prime(self, prime: Samples, samples: int) -> Samples:
        """Continue one prime.

        Parameters
        ----------
        prime : ndarray of float32, shape (signal.prime_samples,)
            Mono at ``signal.rate``, beginning at the onset, any level.
        samples : int
            How many samples to make, 0 or more.

        Returns
        -------
        ndarray of float32, shape (samples,)
            What follows the prime, finite, at the prime's level.
        """

    def continue_primes(self, primes: Sequence[Samples], samples: Sequence[int]) -> list[Samples]:
        """Continue many primes; a learned continuator does them as one batch."""
        return [self.continue_prime(p, n) for p, n in zip(primes, samples, strict=True)]

    def draw_continuations(
        self,
        prime: Samples,  # noqa: ARG002
        samples: int,  # noqa: ARG002
        *,
        count: int,  # noqa: ARG002
        seed: int,  # noqa: ARG002
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

        Raises
        ------
        UserError
            For a continuator that knows one continuation only.
        """
        raise UserError(
            f"{self.name} knows one continuation of a prime and no range: leave --samples out, "
            "or choose a modal model"
        )

    def teacher_forced_error(self, clips: Sequence[Clip]) -> float | None:  # noqa: ARG002
        """Error of the next block where all before it are true; None for other predictions."""
        return None

    def save(self, folder: Path) -> None:
        """Write ``continuator.json`` (and weights) and their checksums into an existing folder.

        Raises
        ------
        UserError
            For weights that are not finite.
        """
        text = json.dumps(self.description(), indent=2, sort_keys=True)
        with replacing(folder / DESCRIPTION) as path:
            path.write_text(text + "\n")
        checksums.write(folder, self.files)

    def description(self) -> dict[str, Any]:
        """Name, signal and settings, as ``continuator.json`` holds them."""
        return {
            "format": FORMAT,
            "continuator": self.name,
            "signal": self.signal.model_dump(),
            "config": self.config.model_dump(),
        }

    @classmethod
    def load(cls, folder: Path, signal: Signal, config: C) -> Self:  # noqa: ARG003
        """Rebuild from a folder written by :meth:`save`.

        Raises
        ------
        UserError
            For weights that are missing, damaged, not finite or of another shape.
        """
        return cls(signal, config)
