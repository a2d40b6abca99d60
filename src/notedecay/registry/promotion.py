"""Promotion to the alias ``champion``: the version that continues the same unseen notes better."""

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
        Its kind.
    value : float
        Mean of the measure over the notes.
    """

    version: str
    model: str
    value: float

    @property
    def who(self) -> str:
        """Its name in a sentence."""
        return f"{self.model} (version {self.version})"


@dataclass(frozen=True)
class Decision:
    """Whether a challenger becomes champion, and why.

    Attributes
    ----------
    promoted : bool
        True where the alias moves.
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
        What was averaged; higher is better.
    margin : float
        What the challenger must gain at least; it must always gain something.
    notes : int
        How many unseen notes.

    Returns
    -------
    Decision
        Promoted or not, with the figures.
    """
    who = challenger.who
    figure = f"{measure} {challenger.value:.3f}"
    if champion is None:
        return Decision(True, f"{who} is the first: {figure} on {notes} unseen notes")
    other = f"{champion.who} {champion.value:.3f}"
    gain = challenger.value - champion.value
    enough = gain >= margin or math.isclose(gain, margin)  # 0.3 - 0.2 falls short of 0.1
    if gain > 0 and enough:
        return Decision(True, f"{who} beats {other}: {figure} on {notes} unseen notes")
    need = f" by {margin:g}" if margin else ""
    return Decision(False, f"{who} does not beat {other}{need}: {figure} on {notes} unseen notes")


def succeed(challenger: CandidateScore, champion: str, *, measure: str, notes: int) -> Decision:
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
    why = f"version {champion}, which the present code cannot load"
    return Decision(True, f"{challenger.who} takes over from {why}: {figure}")
