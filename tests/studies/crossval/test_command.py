"""``notedecay evaluate`` on a toy instrument: real trials, tables that add up."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from notedecay.core.config import load_params
from notedecay.studies.crossval import plan as plans
from notedecay.studies.crossval.command import PUBLISHED
from notedecay.tracking.runs import Tracker
from tests.studies.conftest import PITCHES
from tests.toy import notedecay

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def table(project: Path) -> dict[str, Any]:
    notedecay(project, "evaluate", "--workers", "2")
    found: dict[str, Any] = json.loads(
        (project / "results/evaluation/bells/table.json").read_text()
    )
    return found


def test_every_system_is_evaluated_on_every_note(table: dict[str, Any]) -> None:
    assert set(table[plans.UNSEEN_PITCHES]) == {
        "gru",
        "silence",
        "esprit",
        plans.PAPER_LSTM,
        "oracle",
    }
    assert all(means["notes"] == len(PITCHES) for means in table[plans.UNSEEN_PITCHES].values())
    assert table[plans.UNSEEN_PITCHES]["silence"]["score"] == 0
    assert table[plans.UNSEEN_PITCHES]["esprit"]["decay_ok"] > 0.9
    assert table[plans.UNSEEN_PITCHES]["oracle"]["decay_ok"] > 0.9
    further = {"prime 100 ms", "prime 200 ms", "prime 500 ms", plans.OUTSIDE_RANGE}
    assert set(table) == {plans.UNSEEN_PITCHES, *further}
    assert all(set(table[condition]) == {"gru"} for condition in further)


def test_the_rows_add_up_to_the_table(project: Path, table: dict[str, Any]) -> None:
    folder = project / "results/evaluation/bells"
    with (folder / "notes.csv").open() as file:
        notes = [row for row in csv.DictReader(file) if row["condition"] == plans.UNSEEN_PITCHES]
    for name, means in table[plans.UNSEEN_PITCHES].items():
        mine = [float(row["score"]) for row in notes if row["model"] == name]
        assert np.mean(mine) == pytest.approx(means["score"], abs=1e-4)
    with (folder / "partials.csv").open() as file:
        partials = list(csv.DictReader(file))
    esprit = [row for row in partials if row["model"] == "esprit"]
    assert len(esprit) == 2 * len(PITCHES)
    assert float(esprit[0]["t60"]) == pytest.approx(1.4, rel=0.05)
    text = (folder / "table.md").read_text()
    assert "12 notes, cross-validated by pitch" in text
    assert "so far: 1." in text


@pytest.mark.parametrize(
    "name",
    [
        "comparison",
        "by_pitch",
        "decay",
        "by_rank",
        "by_number",
        "by_prime",
        "best",
        "median",
        "worst",
    ],
)
def test_there_is_a_picture_of(project: Path, table: dict[str, Any], name: str) -> None:
    assert table
    picture = project / f"results/evaluation/bells/pictures/{name}.png"
    assert picture.stat().st_size > 10_000


def test_table_and_pictures_are_ready_to_be_committed(project: Path, table: dict[str, Any]) -> None:
    assert table
    docs = project / "docs/evaluation"
    text = (docs / "bells.md").read_text()
    named = [part.split(")")[0] for part in text.split("](")[1:]]
    assert named == [f"bells-{name}.png" for name in PUBLISHED]
    assert all(shows in text for shows in PUBLISHED.values())
    assert "evaluated on the lowest and highest 15%" in text
    assert {"by_pitch", "by_number", "best", "median", "worst"} < set(PUBLISHED)
    assert all((docs / name).stat().st_size < 200_000 for name in named)


def test_a_second_call_runs_nothing_again(project: Path, table: dict[str, Any]) -> None:
    trials = project / "mlruns/trials"
    before = {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")}
    notedecay(project, "evaluate", "--workers", "2")
    assert {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")} == before
    assert table


def test_every_row_and_every_trial_is_a_run(project: Path, table: dict[str, Any]) -> None:
    tracker = Tracker(project / "mlruns", "bells", {})
    found = tracker.client.search_runs([tracker.experiment_id], max_results=1000)
    of = {kind: [r for r in found if r.data.tags["notedecay.kind"] == kind]
          for kind in ("crossval", "row", "fold")}  # fmt: skip
    assert {run.info.status for run in found} == {"FINISHED"}
    assert len(of["crossval"]) == 1
    files = tracker.client.list_artifacts(of["crossval"][0].info.run_id)
    assert [file.path for file in files] == ["table.csv"]
    rows = {run.info.run_name: run.data.metrics["unseen.score"] for run in of["row"]}
    expected = {
        f"{label}, {condition}": means["score"]
        for condition, labels in table.items()
        for label, means in labels.items()
    }
    assert rows == pytest.approx(expected, abs=1e-4)
    assert len(of["fold"]) == len(list((project / "mlruns/trials").glob("*/result.json")))
    parents = {run.data.tags["mlflow.parentRunId"] for run in (*of["row"], *of["fold"])}
    assert parents == {of["crossval"][0].info.run_id}


def test_other_systems_need_a_reason(project: Path, table: dict[str, Any]) -> None:
    assert table
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["defaults"]["evaluate"]["baselines"]["esprit"]["order"] = 10
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    assert load_params(project / "params.yaml")
    answer = notedecay(project, "evaluate", ok=False)
    assert answer.returncode == 2
    assert "these notes were used on" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_instrument_that_is_not_there_is_refused(project: Path) -> None:
    answer = notedecay(project, "evaluate", "bell", ok=False)
    assert answer.returncode == 2
    assert "no instrument 'bell'" in answer.stderr
