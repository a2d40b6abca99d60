"""Scales of an experiment: the paper's own size, or a smaller one that a laptop can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MIN_UNITS, MIN_FILTERS = 32, 8


@dataclass(frozen=True)
class Scale:
    """Size of an experiment relative to the paper's.

    Attributes
    ----------
    name : str
        Of the folder of its results.
    units, epochs : float
        Share of the paper's units (and filters) and epochs.
    train : int or None
        Largest number of training notes; None for all.
    """

    name: str
    units: float
    epochs: float
    train: int | None

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings at this scale."""
        scaled = dict(settings)
        if "units" in scaled:
            scaled["units"] = max(MIN_UNITS, round(self.units * scaled["units"]))
        if "filters" in scaled:
            scaled["filters"] = max(MIN_FILTERS, round(self.units * scaled["filters"]))
        if "epochs" in scaled:
            scaled["epochs"] = max(1, round(self.epochs * scaled["epochs"]))
        return scaled


FULL = Scale("full", 1.0, 1.0, None)
REDUCED = Scale("reduced", 1 / 4, 1.0, 30)
QUICK = Scale("quick", 1 / 4, 1 / 3, 30)
