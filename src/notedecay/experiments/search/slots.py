"""The slots of a study that this process works on: claimed, begun, and written once when over.

Slot i may begin when slots 0..i-window are over, whichever processes have done them. A slot that
takes its whole process with it again and again ends as failed, so that it does not stop the study.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from notedecay.experiments.search.sampler import Plan, Point, begin
from notedecay.experiments.search.stop import Length, length
from notedecay.experiments.search.storage import SharedStudy

MAX_STARTS = 3
"""How often a slot is begun without a finished epoch between."""


@dataclass(frozen=True)
class Begun:
    """Who works on a slot, for people: the claim alone says whether it is still so."""

    process: str
    since: str
    model: str
    folder: str
    epochs: int


class Slots:
    """Slots of a study, as one process sees them.

    Parameters
    ----------
    study : SharedStudy
        Holds what is over, and the claims.
    plan : Plan
        Of the study.
    trials : int
        Slots asked for.
    patience : int or None
        As of :func:`notedecay.experiments.search.stop.length`.
    """

    def __init__(
        self,
        study: SharedStudy,
        plan: Plan,
        trials: int,
        patience: int | None,
    ) -> None:
        self.study, self.plan = study, plan
        self._trials, self._patience = trials, patience
        self._held: dict[int, Point] = {}

    def over(self) -> tuple[dict[int, FrozenTrial], Length]:
        """Trials that are over, by slot, as far as the study needs them; how many it needs."""
        found = self.study.over()
        needed = length(self.plan, found, trials=self._trials, patience=self._patience)
        kept = {slot: trial for slot, trial in sorted(found.items()) if slot < needed.slots}
        return kept, needed

    def claim(self, over: Mapping[int, FrozenTrial], needed: int) -> Point | None:
        """Claim the first slot that may begin and is not worked on; None if there is none now.

        Parameters
        ----------
        over : mapping of int to FrozenTrial
            Trials that are over, as :meth:`over` has just given them.
        needed : int
            Number of slots, likewise.
        """
        first = next((slot for slot in range(needed) if slot not in over), needed)
        for slot in range(first, min(needed, first + self.plan.window)):
            if slot in over or slot in self._held or not self.study.claim(slot):
                continue
            if slot in self.study.over():  # another has just done it
                self.study.release(slot)
                continue
            self._held[slot] = begin(self.plan, slot, over)
            return self._held[slot]
        return None

    def start(self, point: Point, begun: Begun, epoch: int) -> bool:
        """Note that a slot begins at an epoch; return False for one that begins in vain."""
        name = f"starts.{point.slot}"
        earlier = self.study.attribute(name) or {"count": 0, "epoch": 0}
        count = earlier["count"] if epoch <= earlier["epoch"] else 0
        if count >= MAX_STARTS:
            return False
        self.study.keep(name, {"count": count + 1, "epoch": epoch})
        self.study.keep(f"begun.{point.slot}", vars(begun))
        return True

    def finish(
        self,
        point: Point,
        state: TrialState,
        values: list[float] | None,
        attributes: dict[str, Any],
        reports: dict[int, float] | None = None,
    ) -> None:
        """Write the trial of a slot and give the claim back."""
        trial = optuna.create_trial(
            state=state,
            values=values if state == TrialState.COMPLETE else None,
            params=point.params,
            distributions=point.distributions,
            user_attrs={
                "slot": point.slot, "model": point.model, "settings": point.settings,
                "seed": point.seed, **attributes,
            },
            intermediate_values=reports or {},
        )  # fmt: skip
        self.study.add(point.slot, trial)
        self._release(point)

    def leave(self) -> None:
        """Give back the slots that were begun and are not over; they count as not begun."""
        for point in list(self._held.values()):
            name = f"starts.{point.slot}"
            if earlier := self.study.attribute(name):
                self.study.keep(name, earlier | {"count": max(0, earlier["count"] - 1)})
            self._release(point)

    def _release(self, point: Point) -> None:
        self.study.release(point.slot)
        self._held.pop(point.slot, None)


def begun_now(model: str, folder: str, epochs: int) -> Begun:
    """A slot that this process begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Begun(f"{socket.gethostname()}:{os.getpid()}", now, model, folder, epochs)
