"""``notedecay evaluate`` on a toy instrument: real jobs, tables that add up."""

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
from tests.studies.conftest import PITCHES
from tests.toy import notedecay

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def table(project: Path) -> dict[str, Any]:
    notedecay(project, "evaluate", "--processes", "2")
    found: dict[str, Any] = json.loads(
        (project / "results/evaluation/bells/metrics.json").read_text()
    )
    return found


def test_every_competitor_is_judged_on_every_note(table: dict[str, Any]) -> None:
    assert set(table[plans.UNSEEN]) == {"gru", "silence", "esprit", plans.PAPER_LSTM, "oracle"}
    assert all(means["notes"] == len(PITCHES) for means in table[plans.UNSEEN].values())
    assert table[plans.UNSEEN]["silence"]["score"] == 0
    assert table[plans.UNSEEN]["esprit"]["decay_ok"] > 0.9
    assert table[plans.UNSEEN]["oracle"]["decay_ok"] > 0.9
    further = {"prime 100 ms", "prime 200 ms", "prime 500 ms", plans.OUTSIDE}
    assert set(table) == {plans.UNSEEN, *further}
    assert all(set(table[condition]) == {"gru"} for condition in further)


def test_the_rows_add_up_to_the_table(project: Path, table: dict[str, Any]) -> None:
    folder = project / "results/evaluation/bells"
    with (folder / "notes.csv").open() as file:
        notes = [row for row in csv.DictReader(file) if row["condition"] == plans.UNSEEN]
    for name, means in table[plans.UNSEEN].items():
        mine = [float(row["score"]) for row in notes if row["continuator"] == name]
        assert np.mean(mine) == pytest.approx(means["score"], abs=1e-4)
    with (folder / "partials.csv").open() as file:
        partials = list(csv.DictReader(file))
    esprit = [row for row in partials if row["continuator"] == "esprit"]
    assert len(esprit) == 2 * len(PITCHES)
    assert float(esprit[0]["t60"]) == pytest.approx(1.4, rel=0.05)
    text = (folder / "table.md").read_text()
    assert "12 notes, cross-validated by pitch" in text
    assert "so far: 1 set" in text


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
    assert "judged on the lowest and highest 15%" in text
    assert {"by_pitch", "by_number", "best", "median", "worst"} < set(PUBLISHED)
    assert all((docs / name).stat().st_size < 200_000 for name in named)


def test_a_second_call_does_nothing_anew(project: Path, table: dict[str, Any]) -> None:
    jobs = project / "results/evaluation/bells/jobs"
    before = {path: path.stat().st_mtime_ns for path in jobs.glob("*/result.json")}
    notedecay(project, "evaluate", "--processes", "2")
    assert {path: path.stat().st_mtime_ns for path in jobs.glob("*/result.json")} == before
    assert table


def test_a_job_of_other_notes_is_done_anew(project: Path, table: dict[str, Any]) -> None:
    assert table
    path = next((project / "results/evaluation/bells/jobs").glob("esprit-*/result.json"))
    made = json.loads(path.read_text())
    path.write_text(json.dumps(made | {"clips": "of other notes"}))
    notedecay(project, "evaluate", "--processes", "2")
    assert json.loads(path.read_text())["clips"] == made["clips"] != "of other notes"


def test_other_competitors_must_say_why(project: Path, table: dict[str, Any]) -> None:
    assert table
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["instruments"]["bells"]["evaluate"]["baselines"]["esprit"]["order"] = 10
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    assert load_params(project / "params.yaml")
    answer = notedecay(project, "evaluate", ok=False)
    assert answer.returncode == 2
    assert "these notes were opened on" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_instrument_that_is_not_there_is_refused(project: Path) -> None:
    answer = notedecay(project, "evaluate", "bell", ok=False)
    assert answer.returncode == 2
    assert "no instrument 'bell'" in answer.stderr
