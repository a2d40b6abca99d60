"""``notedecay ablate`` on a toy instrument: real trials, without the test notes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from notedecay.core.config import load_params
from notedecay.core.project import Project
from notedecay.studies.ablation.command import Choice, plan
from tests.toy import notedecay

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

SETTINGS = {"units": 8, "members": 4, "dropout": 0.0, "input_noise": 0.0, "augmentations": 2}
CALL = ("ablate", "--seeds", "2", "--workers", "2")


@pytest.fixture(scope="module")
def rows(project: Path) -> pd.DataFrame:
    best = {"model": "modal", "settings": SETTINGS}
    (project / "results/bells/best.json").write_text(json.dumps(best))
    notedecay(project, *CALL)
    return pd.read_csv(project / "results/evaluation/bells/ablation.csv")


def test_every_variant_is_evaluated_on_every_note_but_the_test_notes(
    project: Path, rows: pd.DataFrame
) -> None:
    split = json.loads((project / "results/bells/split.json").read_text())
    chosen = {*split["train"], *split["validation"]}
    expected = {
        "full model", "without dropping transients", "without aftersound", "without noise floor",
        "without augmentation", "without beats", "without neighbours", "without ensemble",
    }  # fmt: skip
    assert set(rows["variant"]) == expected
    assert set(rows["seed"]) == {5, 6}
    for _, group in rows.groupby(["variant", "seed"]):
        assert sorted(group["note"]) == sorted(chosen)


def test_no_test_note_is_used(project: Path, rows: pd.DataFrame) -> None:
    test = set(json.loads((project / "results/bells/split.json").read_text())["test"])
    assert not set(rows["note"]) & test
    choice = Choice(("bells",), (), 2, 1, "cpu")
    _, placed = plan(Project(project), load_params(project / "params.yaml"), "bells", choice)
    assert len(placed) == 8 * 2 * 5
    for trial in (one.trial for one in placed):
        unseen = {*trial.evaluation["unseen"]}
        assert not test & {*trial.train, *trial.validation, *trial.evaluation["seen"], *unseen}
        assert not {*trial.train, *trial.validation} & unseen


def test_the_page_holds_the_means_of_the_rows(project: Path, rows: pd.DataFrame) -> None:
    page = (project / "docs/evaluation/bells-ablation.md").read_text()
    full = rows[rows["variant"] == "full model"]
    assert f"| full model | {full['decay_ok'].mean():.2f} |" in page
    assert "10 notes of the parts train and validation" in page
    assert "2 seeds" in page
    picture = project / "docs/evaluation/bells-ablation.png"
    assert 5_000 < picture.stat().st_size < 200_000
    assert not (project / "docs/evaluation/bells-opened.json").exists()


def test_a_second_call_runs_nothing_again(project: Path, rows: pd.DataFrame) -> None:
    assert len(rows)
    trials = project / "mlruns/trials"
    before = {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")}
    notedecay(project, *CALL)
    assert {path: path.stat().st_mtime_ns for path in trials.glob("*/result.json")} == before


def test_a_component_that_is_not_listed_is_one_clear_line(
    project: Path, rows: pd.DataFrame
) -> None:
    assert len(rows)
    answer = notedecay(project, "ablate", "--component", "aftersond", ok=False)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert "'modal' has no component 'aftersond'; did you mean 'aftersound'?" in answer.stderr


def test_a_model_without_components_is_one_clear_line(project: Path, rows: pd.DataFrame) -> None:
    assert len(rows)
    best = {"model": "lstm", "settings": {}}
    (project / "results/bells/best.json").write_text(json.dumps(best))
    answer = notedecay(project, "ablate", ok=False)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert "the best of the search is 'lstm', of which no components are listed" in answer.stderr
