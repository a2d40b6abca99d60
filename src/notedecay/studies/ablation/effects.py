"""Effect of each component of a model: paired differences over notes, and their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from notedecay.metrics.bootstrap import Interval, bootstrap
from notedecay.reports.markdown import table
from notedecay.studies.ablation.variants import FULL, WITHOUT
from notedecay.studies.crossval.tables import COLUMNS

SHOWN = (
    "decay_ok",
    "envelope_db",
    "excess_noise_db",
    "join_snr_db",
    "pitch_cents",
    "missing",
    "score",
)
SUMMARISED = ("decay_ok", "score")
"""Measures that the page summarises in words; of both, more is better."""


@dataclass(frozen=True)
class Effect:
    """Scores of a variant, and their difference to the full model.

    Attributes
    ----------
    label : str
        Its name.
    notes, seeds : int
        How many notes it was evaluated on, and with how many seeds.
    means : dict of str to float
        Of each measure, over notes.
    contribution : dict of str to Interval
        Of each measure, the full model's value minus this one's, over the same notes.
    """

    label: str
    notes: int
    seeds: int
    means: dict[str, float]
    contribution: dict[str, Interval]

    @property
    def component(self) -> str:
        """Name of the component that is removed."""
        return self.label.removeprefix(WITHOUT)


def effects(rows: Sequence[Mapping[str, Any]]) -> list[Effect]:
    """Pair each variant with the full model, note by note.

    Parameters
    ----------
    rows : sequence of mapping
        ``variant``, ``seed``, ``note`` and the measures. The seeds of a note are averaged first:
        only notes are independent samples.

    Returns
    -------
    list of Effect
        The full model first, then the variants by their contribution to decay ok.
    """
    frame = pd.DataFrame(list(rows)).astype(dict.fromkeys(SHOWN, float))
    notes = frame.groupby(["variant", "note"])[list(SHOWN)].mean()
    seeds = frame["seed"].nunique()
    full = notes.loc[FULL]
    found = []
    for label in frame["variant"].unique():
        mine = notes.loc[label]
        contribution = {m: bootstrap((full[m] - mine[m]).to_numpy()) for m in SHOWN}
        means = {m: float(mine[m].mean()) for m in SHOWN}
        found.append(Effect(str(label), len(mine), seeds, means, contribution))
    return sorted(found, key=lambda o: (o.label != FULL, -o.contribution["decay_ok"].mean))


def markdown(instrument: str, found: Sequence[Effect]) -> str:
    """The page of an ablation.

    Parameters
    ----------
    instrument : str
        Its name.
    found : sequence of Effect
        The full model first.
    """
    full, *others = found
    names = [COLUMNS[m][0] for m in SHOWN]
    seeds = "1 seed" if full.seeds == 1 else f"{full.seeds} seeds"
    return "\n".join(
        [
            f"## {instrument}: what each component contributes\n",
            f"{full.notes} notes of the parts train and validation, cross-validated by pitch, "
            f"{seeds} (folds and weights). The test notes of the split are not "
            "used. Each variant is the best of the search without one component.\n",
            *[_sentence(one) for one in others],
            "\nMean over notes:\n",
            table(["model", *names], [_means(one) for one in found]),
            "Difference: the full model minus the one without the component, over the same notes; "
            "in brackets the 95 % interval, bootstrapped over notes; bold where it holds no 0. "
            "More is better for decay ok, join and score, less for the others.\n",
            table(["component", *names], [_differences(one) for one in others]),
        ]
    )


def _sentence(one: Effect) -> str:
    words = [_words(one.contribution[m], *COLUMNS[m]) for m in SUMMARISED]
    return f"- **{one.component}**: {', '.join(words)}."


def _words(contribution: Interval, name: str, digits: int) -> str:
    if contribution.mean != contribution.mean:
        return f"{name} has no value"
    verb = "lowers" if contribution.mean < 0 else "raises"
    chance = " (the interval holds 0)" if contribution.by_chance else ""
    return f"{verb} {name} by {abs(contribution.mean):.{max(3, digits)}f}{chance}"


def _means(one: Effect) -> list[str]:
    cells = [f"{one.means[m]:.{COLUMNS[m][1]}f}".replace("nan", "-") for m in SHOWN]
    return [one.label, *cells]


def _differences(one: Effect) -> list[str]:
    return [one.component, *(difference(one.contribution[m], COLUMNS[m][1]) for m in SHOWN)]


def difference(interval: Interval, digits: int) -> str:
    """A mean difference and its interval as text; bold where the interval holds no 0.

    Parameters
    ----------
    interval : Interval
        NaN gives ``-``.
    digits : int
        Of a mean; the difference, which is small, has one more.
    """
    if interval.mean != interval.mean:
        return "-"
    mean, low, high = (f"{v:+.{digits + 1}f}" for v in (interval.mean, interval.low, interval.high))
    return f"{mean if interval.by_chance else f'**{mean}**'} ({low} to {high})"
