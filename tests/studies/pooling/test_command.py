"""``notedecay pool`` on two toy instruments: real trials, a table, no test note."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from notedecay.data.clips import read_clips
from notedecay.data.sources import lock
from notedecay.tracking.runs import Tracker
from tests.toy import INSTRUMENT, make_notes, notedecay, write_params

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

NAMES = ("bells", "gongs")
BEST = {"model": "gru", "settings": {"units": 16, "resolution": 30}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instruments of fourteen notes, prepared; the first one is searched."""
    root = tmp_path_factory.mktemp("project")
    (root / "dvc.yaml").write_text("")
    gongs = INSTRUMENT | {"prepare": INSTRUMENT["prepare"] | {"rate": 3000}}
    write_params(root, {"seed": 5, "instruments": {"bells": {}, "gongs": gongs}})
    for name in NAMES:
        make_notes(root / "data" / name / "own", range(57, 71))
    lock.accept(root, lambda: (root / "data.dvc").write_text("outs: []\n"))
    for name in NAMES:
        notedecay(root, "stage", "prepare", name)
    (root / "results/bells/best.json").write_text(json.dumps(BEST))
    return root


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    notedecay(project, "pool", *NAMES, "--workers", "2")
    return (project / "docs/evaluation/pooling.md").read_text()


def test_the_table_has_three_rows_for_each_instrument(page: str) -> None:
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][2:]
    assert [(row[0].removeprefix("| "), row[1]) for row in rows] == [
        (name, label) for name in NAMES for label in ("own", "pooled", "others only")
    ]
    assert all(0.0 <= float(row[2].split()[0]) <= 1.0 for row in rows)
    assert [row[-1].count(" to ") for row in rows] == [0, 1, 1] * 2
    assert "All clips have 4000 Hz, primes of 0.33 s and a high-pass filter at 25 Hz" in page


def test_no_test_note_is_used(project: Path, page: str) -> None:
    assert page
    used = {clip.id for clip in read_clips(project / "results/pooling/bells-gongs.npz")}
    for name in NAMES:
        split = json.loads((project / f"results/{name}/split.json").read_text())
        assert not used & {*split["test"]}
        assert {*split["train"], *split["validation"]} <= used


def test_every_trial_and_every_row_is_a_run_below_the_study(project: Path, page: str) -> None:
    assert page
    tracker = Tracker(project / "mlruns", "bells-gongs", {})
    found = tracker.client.search_runs([tracker.experiment_id], max_results=1000)
    kinds = [run.data.tags["notedecay.kind"] for run in found]
    assert {kind: kinds.count(kind) for kind in kinds} == {"pooling": 1, "row": 6, "fold": 22}
    assert {run.info.status for run in found} == {"FINISHED"}


def test_a_second_call_runs_nothing_again(project: Path, page: str) -> None:
    trials = project / "mlruns/trials"
    before = {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")}
    notedecay(project, "pool", *NAMES)
    assert {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")} == before
    assert (project / "docs/evaluation/pooling.md").read_text() == page


def test_one_instrument_is_refused_in_one_line(project: Path) -> None:
    answer = notedecay(project, "pool", "bells", ok=False)
    assert answer.returncode == 2
    assert answer.stderr.strip().endswith(
        "name two or more different instruments: notedecay pool piano guitar"
    )
