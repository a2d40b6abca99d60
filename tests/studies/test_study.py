"""A study: results of trials are gathered into rows, and failures raised in one line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from notedecay.core.errors import UserError
from notedecay.core.tables import write_json
from notedecay.experiments.runners.base import Fault
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import RESULT
from notedecay.metrics import MEASURES
from notedecay.studies.study import Placed, gather, raise_for
from tests.experiments.runners.fakes import fake


def note(name: str, score: float, **changed: Any) -> dict[str, Any]:
    return dict.fromkeys(MEASURES, 0.0) | {"note": name, "judged": 1, "score": score} | changed


@pytest.fixture
def store(tmp_path: Path) -> TrialStore:
    """Two folds of a system, and one trial of another."""
    found = TrialStore(tmp_path)
    results = {
        1: [note("A4", 0.2), note("B4", 0.4, decay_ok=None, judged=0)],
        2: [note("C5", 0.9, decay_ok=1.0)],
        3: [note("A4", 0.1)],
    }
    for number, notes in results.items():
        partials = [{"note": one["note"], "t60": 1.0, "t60_made": None} for one in notes]
        write_json(
            {"notes": {"unseen": notes, "seen": []}, "partials": {"unseen": partials}},
            found.folder(fake("lstm", number)) / RESULT,
        )
    return found


def placed(number: int, condition: str, label: str) -> Placed:
    return Placed(condition, label, fake("lstm", number))


def test_a_row_joins_the_folds_of_a_system_under_a_condition(store: TrialStore) -> None:
    trials = [placed(1, "new", "net"), placed(3, "old", "net"), placed(2, "new", "net")]
    first, second = gather(trials, store)
    assert (first.condition, first.label) == ("new", "net")
    assert (second.condition, second.label) == ("old", "net")
    assert first.placed == [trials[0], trials[2]]
    assert [row["note"] for row in first.notes] == ["A4", "B4", "C5"]
    assert {(row["condition"], row["model"]) for row in first.notes} == {("new", "net")}
    assert [row["note"] for row in first.partials] == ["A4", "B4", "C5"]
    assert len(second.notes) == len(second.partials) == 1


def test_rows_differ_by_label_too(store: TrialStore) -> None:
    rows = gather([placed(1, "new", "net"), placed(3, "new", "other")], store)
    assert [(row.label, len(row.notes)) for row in rows] == [("net", 2), ("other", 1)]


def test_means_of_a_row_leave_out_what_has_no_value(store: TrialStore) -> None:
    (row,) = gather([placed(1, "new", "net"), placed(2, "new", "net")], store)
    assert math.isnan(row.scores[1].decay_ok)
    means = row.means()
    assert means["score"] == pytest.approx(0.5)
    assert means["decay_ok"] == pytest.approx(0.5)
    assert (means["notes"], means["notes_judged"]) == (3, 2)


def test_the_first_failure_is_raised_with_its_name() -> None:
    mendable, bug = Fault("no note 'C9': give another", 2), Fault("KeyError: 'x'", 1)
    raise_for({})
    with pytest.raises(UserError, match=r"^net, fold 1: no note 'C9': give another$"):
        raise_for({"net, fold 1": mendable, "net, fold 2": bug})
    with pytest.raises(SystemExit, match=r"^error: net, fold 2: KeyError: 'x'$"):
        raise_for({"net, fold 2": bug})
