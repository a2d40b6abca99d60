"""Results gathered into rows: one per experiment and scale, over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notedecay.jobs.job import DIAGNOSIS, LISTEN, RESULT
from notedecay.paper.experiments import Experiment
from notedecay.paper.plan import QUICK, Planned, Scale
from notedecay.pipeline.tables import read_json

MEASURES = ("score", "decay_ok", "missing", "pitch_cents", "envelope_db", "excess_noise_db",
            "join_snr_db", "attractor")  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A mean over seeds, with their spread.

    Attributes
    ----------
    mean : float
        NaN where no seed has a value.
    sd : float
        Standard deviation over the seeds, NaN of fewer than two.
    """

    mean: float
    sd: float

    def text(self, digits: int) -> str:
        """The mean, and the spread where there is one: ``.12 ± .03``."""
        if self.mean != self.mean:
            return "-"
        return f"{self.mean:.{digits}f}" + (
            "" if self.sd != self.sd else f" ± {self.sd:.{digits}f}"
        )


@dataclass(frozen=True)
class Row:
    """An experiment at one scale.

    Attributes
    ----------
    experiment : Experiment
        Which.
    scale : Scale
        Its size.
    planned : list of Planned
        Those that have a result.
    results : list of dict
        What ``result.json`` holds, in the same order.
    """

    experiment: Experiment
    scale: Scale
    planned: list[Planned]
    results: list[dict[str, Any]]

    def measure(self, split: str, name: str, pitch: int | None = None) -> Figure:
        """A measure on ``seen`` or ``unseen`` notes, all or those of a pitch."""
        if pitch is None:
            return _over(self.results, lambda r: r["figures"][split][name])
        return _over(self.results, lambda r: _mean_of(r["notes"][split], name, pitch))

    def teacher_forced(self, split: str) -> Figure:
        """Error of the next block where all before it are the true ones."""
        return _over(self.results, lambda r: (r.get("teacher_forced") or {}).get(split))

    @property
    def loss(self) -> Figure:
        """Training loss after the last epoch."""
        return _over(self.results, lambda r: (r.get("losses") or [None])[-1])

    @property
    def size(self) -> str:
        """What was run, in words: units, epochs, seeds."""
        settings = self.planned[0].job.settings
        if "epochs" not in settings:
            return ""
        seeds = len(self.results)
        return (
            f"{self.scale.name}: {settings['units']} units, {settings['epochs']} epochs, "
            f"{seeds} seed{'s' if seeds > 1 else ''}"
        )

    @property
    def warnings(self) -> list[str]:
        """What the diagnosis of any seed warned of."""
        return sorted({line for result in self.results for line in result.get("warnings", [])})

    @property
    def listen(self) -> Path:
        """Audio and pictures of the first seed."""
        return self.planned[0].folder / LISTEN

    @property
    def diagnosis(self) -> Path:
        """Heat maps of the first seed's training."""
        return self.planned[0].folder / DIAGNOSIS


def rows(planned: Sequence[Planned]) -> list[Row]:
    """Gather what is finished.

    Parameters
    ----------
    planned : sequence of Planned
        At every scale.

    Returns
    -------
    list of Row
        In the order of the experiments, the larger scale first; the quick scale only where
        there is no other.
    """
    gathered: dict[tuple[str, str], list[Planned]] = {}
    for one in planned:
        if (one.folder / RESULT).exists():
            gathered.setdefault((one.experiment.name, one.scale.name), []).append(one)
    made = [
        Row(
            group[0].experiment,
            group[0].scale,
            group,
            [read_json(p.folder / RESULT) for p in group],
        )
        for group in gathered.values()
    ]
    larger = {row.experiment.name for row in made if row.scale != QUICK}
    return [row for row in made if row.scale != QUICK or row.experiment.name not in larger]


def _mean_of(notes: Sequence[dict[str, Any]], name: str, pitch: int) -> float | None:
    values = [n[name] for n in notes if n["pitch"] == pitch and n[name] is not None]
    return statistics.fmean(values) if values else None


def _over(results: Sequence[dict[str, Any]], read: Callable[[dict[str, Any]], Any]) -> Figure:
    values = [float(v) for r in results if (v := read(r)) is not None]
    if not values:
        return Figure(float("nan"), float("nan"))
    sd = statistics.stdev(values) if len(values) > 1 else float("nan")
    return Figure(statistics.fmean(values), sd)
