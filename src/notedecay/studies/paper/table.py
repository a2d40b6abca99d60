"""Rows of the table: one per experiment and scale, over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.experiments.scale import FULL, QUICK, REDUCED, Scale
from notedecay.experiments.trial import DIAGNOSIS, LISTEN
from notedecay.studies.paper.experiments import EXPERIMENTS, Experiment
from notedecay.studies.paper.summary import Summary

INDEPENDENT = "no longer depend on the prime"
"""Part of the warning of a network whose continuations are alike for all primes."""

FEW = 5
"""With fewer evaluated notes, their number is shown beside the mean."""


@dataclass(frozen=True)
class Figure:
    """A mean over seeds, with their spread.

    Attributes
    ----------
    mean : float
        NaN if no seed has a value.
    sd : float
        Standard deviation over the seeds, NaN of fewer than two.
    """

    mean: float
    sd: float

    def text(self, digits: int) -> str:
        """The mean, and the spread where there is one: ``.12 ± .03``."""
        if self.mean != self.mean:
            return "-"
        spread = "" if self.sd != self.sd else f" ± {self.sd:.{digits}f}"
        return f"{self.mean:.{digits}f}{spread}"


@dataclass(frozen=True)
class Row:
    """An experiment at one scale.

    Attributes
    ----------
    experiment : Experiment
        Which.
    scale : Scale
        Its size.
    results : list of dict
        Summaries, one for each seed.
    folder : Path
        Of the first seed's result; it may not exist on this machine.
    """

    experiment: Experiment
    scale: Scale
    results: list[Summary]
    folder: Path

    def measure(self, split: str, name: str) -> Figure:
        """A measure on ``seen`` or ``unseen`` notes."""
        return _over(self.results, lambda r: (r["figures"].get(split) or {}).get(name))

    def c5(self, split: str) -> Figure:
        """Decay ok of the takes of C5."""
        return _over(self.results, lambda r: r["c5"].get(split))

    def teacher_forced(self, split: str) -> Figure:
        """Error of the next block after true blocks."""
        return _over(self.results, lambda r: (r["teacher_forced"] or {}).get(split))

    @property
    def loss(self) -> Figure:
        """Training loss after the last epoch."""
        return _over(self.results, lambda r: r["loss"])

    @property
    def learns(self) -> bool:
        """Whether the model is trained."""
        return "epochs" in self.experiment.settings

    @property
    def size(self) -> str:
        """Scale, units, epochs, seeds, and the device if it is no CPU, as text."""
        if not self.learns:
            return ""
        settings, seeds = self.scale.settings(self.experiment.settings), len(self.results)
        parts = [
            f"{self.scale.name}: {settings['units']} units",
            f"{settings['epochs']} epochs",
            f"{seeds} seed{'s' if seeds > 1 else ''}",
        ]
        parts += sorted({f"on {r['device']}" for r in self.results if r["device"] != "cpu"})
        diverged = sum(r["ended"] != "complete" for r in self.results)
        return ", ".join(parts + ([f"{diverged} diverged"] if diverged else []))

    @property
    def one_sound(self) -> str:
        """Number of diagnosed seeds whose continuations do not depend on the prime."""
        diagnosed = [r["warnings"] for r in self.results if r["warnings"] is not None]
        alike = sum(any(INDEPENDENT in line for line in lines) for lines in diagnosed)
        return f"{alike} of {len(diagnosed)}" if self.learns and diagnosed else "-"

    @property
    def warnings(self) -> list[str]:
        """Warnings of the diagnosis, of all seeds."""
        return sorted({line for r in self.results for line in r["warnings"] or []})

    @property
    def listen(self) -> Path:
        """Audio and pictures of the first seed."""
        return self.folder / LISTEN

    @property
    def diagnosis(self) -> Path:
        """Heat maps of the first seed's training."""
        return self.folder / DIAGNOSIS


def rows(summaries: Sequence[Summary], results: Path) -> list[Row]:
    """Group summaries into rows.

    Parameters
    ----------
    summaries : sequence of dict
        In any order; those of experiments that no longer exist are left out.
    results : Path
        The folder of results.

    Returns
    -------
    list of Row
        In the order of the experiments, the larger scale first; the quick scale only if there is
        no other, and one row for a model without training.
    """
    gathered: dict[tuple[str, str], list[Summary]] = {}
    for summary in sorted(summaries, key=lambda s: int(s["seed"])):
        gathered.setdefault((summary["experiment"], summary["scale"]), []).append(summary)
    made: list[Row] = []
    for experiment in EXPERIMENTS:
        found = [
            Row(experiment, scale, group, results / group[0]["folder"])
            for scale in (FULL, REDUCED, QUICK)
            if (group := gathered.get((experiment.name, scale.name)))
        ]
        larger = [row for row in found if row.scale != QUICK] or found
        made += larger if "epochs" in experiment.settings else larger[:1]
    return made


def _over(results: Sequence[Summary], read: Callable[[Summary], Any]) -> Figure:
    values = [float(v) for r in results if (v := read(r)) is not None]
    if not values:
        return Figure(float("nan"), float("nan"))
    sd = statistics.stdev(values) if len(values) > 1 else float("nan")
    return Figure(statistics.fmean(values), sd)
