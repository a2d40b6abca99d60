"""What a model loses with each of its ideas: paired over notes, as numbers and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from notedecay.metrics.bootstrap import Interval, bootstrap
from notedecay.studies.ablation.variants import FULL, WITHOUT
from notedecay.studies.crossval.tables import COLUMNS
from notedecay.studies.paper.document import table

SHOWN = (
    "decay_ok",
    "envelope_db",
    "excess_noise_db",
    "join_snr_db",
    "pitch_cents",
    "missing",
    "score",
)
JUDGED_BY = ("decay_ok", "score")
"""Of these it is said in words what an idea buys; of both, more is better."""


@dataclass(frozen=True)
class Outcome:
    """A variant: how it does, and what it lacks against the full model.

    Attributes
    ----------
    label : str
        Its name.
    notes, seeds : int
        How many notes it was judged on, and how many times.
    means : dict of str to float
        Of each measure, over notes.
    bought : dict of str to Interval
        Of each measure, the full model's less this one's, over the same notes.
    """

    label: str
    notes: int
    seeds: int
    means: dict[str, float]
    bought: dict[str, Interval]

    @property
    def idea(self) -> str:
        """What it is without."""
        return self.label.removeprefix(WITHOUT)


def outcomes(rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """Pair each variant with the full model, note by note.

    Parameters
    ----------
    rows : sequence of mapping
        ``variant``, ``seed``, ``note`` and the measures. A note's seeds are averaged first: they
        say how sure its figure is, not what another note would get.

    Returns
    -------
    list of Outcome
        The full model first, then what buys the most decays.
    """
    frame = pd.DataFrame(list(rows)).astype(dict.fromkeys(SHOWN, float))
    notes = frame.groupby(["variant", "note"])[list(SHOWN)].mean()
    seeds = frame["seed"].nunique()
    full = notes.loc[FULL]
    found = []
    for label in frame["variant"].unique():
        mine = notes.loc[label]
        bought = {m: bootstrap((full[m] - mine[m]).to_numpy()) for m in SHOWN}
        means = {m: float(mine[m].mean()) for m in SHOWN}
        found.append(Outcome(str(label), len(mine), seeds, means, bought))
    return sorted(found, key=lambda o: (o.label != FULL, -o.bought["decay_ok"].mean))


def markdown(instrument: str, found: Sequence[Outcome]) -> str:
    """The page of an ablation.

    Parameters
    ----------
    instrument : str
        Its name.
    found : sequence of Outcome
        The full model first.
    """
    full, *others = found
    names = [COLUMNS[m][0] for m in SHOWN]
    seeds = "1 seed" if full.seeds == 1 else f"{full.seeds} seeds"
    return "\n".join(
        [
            f"## {instrument}: what each idea buys\n",
            f"{full.notes} notes of the parts train and validation, cross-validated by pitch, "
            f"{seeds} (folds and weights). The test notes of the split are neither learned from "
            "nor judged on. Each variant is the best of the search with one idea taken away.\n",
            *[_sentence(one) for one in others],
            "\nMean over notes:\n",
            table(["model", *names], [_means(one) for one in found]),
            "The full model less the one without the idea, over the same notes; in brackets the "
            "95 % interval, bootstrapped over notes; bold where it does not hold 0. More is better "
            "for decay ok, join and score, less for the others.\n",
            table(["idea", *names], [_differences(one) for one in others]),
        ]
    )


def _sentence(one: Outcome) -> str:
    words = [_words(one.bought[m], *COLUMNS[m]) for m in JUDGED_BY]
    return f"- **{one.idea}**: {', '.join(words)}."


def _words(bought: Interval, name: str, digits: int) -> str:
    if bought.mean != bought.mean:
        return f"nothing to judge {name} by"
    verb = "costs" if bought.mean < 0 else "buys"
    chance = " (within chance)" if bought.by_chance else ""
    return f"{verb} {abs(bought.mean):.{max(3, digits)}f} of {name}{chance}"


def _means(one: Outcome) -> list[str]:
    cells = [f"{one.means[m]:.{COLUMNS[m][1]}f}".replace("nan", "-") for m in SHOWN]
    return [one.label, *cells]


def _differences(one: Outcome) -> list[str]:
    return [one.idea, *(_cell(one.bought[m], COLUMNS[m][1]) for m in SHOWN)]


def _cell(bought: Interval, digits: int) -> str:
    """A difference; one digit more than a mean has, for it is small."""
    if bought.mean != bought.mean:
        return "-"
    mean, low, high = (f"{v:+.{digits + 1}f}" for v in (bought.mean, bought.low, bought.high))
    return f"{mean if bought.by_chance else f'**{mean}**'} ({low} to {high})"
