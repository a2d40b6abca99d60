"""Promotion to the alias ``champion``: the version that scores better on the same notes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CandidateScore:
    """The score of a version on a set of unseen notes.

    Attributes
    ----------
    version : str
        In the registry.
    model : str
        Name of its model.
    value : float
        Mean of the measure over the notes.
    """

    version: str
    model: str
    value: float

    @property
    def label(self) -> str:
        """Model and version, for a sentence."""
        return f"{self.model} (version {self.version})"


@dataclass(frozen=True)
class Decision:
    """Whether a challenger becomes champion, and why.

    Attributes
    ----------
    promoted : bool
        Whether the alias moves to the challenger.
    reason : str
        One sentence with the figures.
    """

    promoted: bool
    reason: str


def decide(
    challenger: CandidateScore,
    champion: CandidateScore | None,
    *,
    measure: str,
    margin: float,
    notes: int,
) -> Decision:
    """Compare a challenger with the champion.

    Parameters
    ----------
    challenger : CandidateScore
        The new version.
    champion : CandidateScore or None
        The present one, scored on the same notes; None where there is none.
    measure : str
        The measure that was averaged; higher is better.
    margin : float
        Least gain of the challenger; with 0 any gain is enough.
    notes : int
        How many unseen notes.

    Returns
    -------
    Decision
        Promoted or not, with the figures.
    """
    label = challenger.label
    figure = f"{measure} {challenger.value:.3f}"
    if champion is None:
        return Decision(True, f"{label} is the first: {figure} on {notes} unseen notes")
    other = f"{champion.label} {champion.value:.3f}"
    gain = challenger.value - champion.value
    enough = gain >= margin or math.isclose(gain, margin)  # 0.3 - 0.2 falls short of 0.1
    if gain > 0 and enough:
        return Decision(True, f"{label} beats {other}: {figure} on {notes} unseen notes")
    need = f" by {margin:g}" if margin else ""
    return Decision(False, f"{label} does not beat {other}{need}: {figure} on {notes} unseen notes")


def promote_over_unloadable(
    challenger: CandidateScore, champion: str, *, measure: str, notes: int
) -> Decision:
    """Promote a challenger over a champion that the present code cannot load.

    Parameters
    ----------
    challenger : CandidateScore
        The new version.
    champion : str
        Version of the present one.
    measure : str
        What was averaged.
    notes : int
        Over how many unseen notes.

    Returns
    -------
    Decision
        Promoted.
    """
    figure = f"{measure} {challenger.value:.3f} on {notes} unseen notes"
    other = f"version {champion}, which the present code cannot load"
    return Decision(True, f"{challenger.label} takes over from {other}: {figure}")
