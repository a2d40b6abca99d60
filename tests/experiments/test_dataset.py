"""What stages begin with: an edit of the split is noticed, whatever reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.data import split
from notedecay.data.clips import write_clips
from notedecay.data.note import Clip
from notedecay.experiments.dataset import load_dataset
from notedecay.experiments.runners.placement import Placement
from notedecay.pipeline import STAGES
from notedecay.studies.ablation import command as ablation
from notedecay.studies.crossval import command as crossval
from tests import toy

RATE = 4000
PITCHES = range(50, 70)
TAKES = ("pp", "ff")
Parts = dict[str, list[str]]
Edit = Callable[[Parts], None]


def clips(rate: int = RATE) -> list[Clip]:
    sound = np.zeros(1600, np.float32)
    return [Clip(f"bells/{t}/{p}", p, sound, rate) for t in TAKES for p in PITCHES]


def params(seed: int = 5, **prepare: Any) -> Params:
    bells = toy.INSTRUMENT | {"prepare": toy.INSTRUMENT["prepare"] | prepare}
    return Params.model_validate({"seed": seed, "defaults": bells, "instruments": {"bells": {}}})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """As ``prepare`` leaves it."""
    project = Project(tmp_path)
    results = project.results("bells")
    write_clips(clips(), results / "clips.npz")
    config = params().instrument("bells").prepare
    pitches = {clip.id: clip.pitch for clip in clips()}
    parts = split.divide(pitches, validation=config.validation, test=config.test, seed=5)
    split.write(parts, results / "split.json")
    return project


def leaked(parts: Parts) -> None:
    """One take of a test note is trained on."""
    parts["train"].append(parts["test"].pop())


def swapped(parts: Parts) -> None:
    """A whole pitch of the test is trained on, and one of the training is in the test."""
    for mine, other in (("test", "train"), ("train", "test")):
        pitch = parts[mine][0].rpartition("/")[2]
        moved = [id_ for id_ in parts[mine] if id_.endswith(f"/{pitch}")]
        parts[mine] = [id_ for id_ in parts[mine] if id_ not in moved]
        parts[other] = [*parts[other], *moved]


def moved(parts: Parts) -> None:
    """A whole pitch of the test is trained on."""
    pitch = parts["test"][0].rpartition("/")[2]
    for id_ in [id_ for id_ in parts["test"] if id_.endswith(f"/{pitch}")]:
        parts["test"].remove(id_)
        parts["train"].append(id_)


def twice(parts: Parts) -> None:
    parts["train"].append(parts["train"][0])


def in_two(parts: Parts) -> None:
    parts["train"].append(parts["test"][0])


def dropped(parts: Parts) -> None:
    parts["validation"].pop()


def unknown(parts: Parts) -> None:
    parts["train"].append("bells/ff/C9")


def emptied(part: str) -> Edit:
    def edit(parts: Parts) -> None:
        other = "test" if part == "train" else "train"
        parts[other] += parts[part]
        parts[part] = []

    return edit


EDITS = {
    "leaked": (leaked, "is both in train and in test"),
    "swapped": (swapped, "is not that of seed 5, validation 0.15 and test 0.15"),
    "moved": (moved, "is not that of seed 5"),
    "twice": (twice, "twice"),
    "in two parts": (in_two, "twice"),
    "dropped": (dropped, "lacks"),
    "unknown": (unknown, "holds bells/ff/C9, which is flagged or unknown"),
    "no train": (emptied("train"), "part 'train' is empty"),
    "no validation": (emptied("validation"), "part 'validation' is empty"),
    "no test": (emptied("test"), "part 'test' is empty"),
}


def edit_split(project: Project, edit: Edit) -> None:
    path = project.results("bells") / "split.json"
    parts = json.loads(path.read_text())
    edit(parts)
    path.write_text(json.dumps(parts))


def one_line(error: pytest.ExceptionInfo[UserError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert "run 'dvc repro --force prepare@bells'" in text
    return text


def test_what_prepare_wrote_is_taken(project: Project) -> None:
    dataset = load_dataset(project.results("bells"), "bells", params())
    assert [len(dataset.part(part)) for part in ("train", "validation", "test")] == [28, 6, 6]
    assert dataset.signal.rate == RATE


@pytest.mark.parametrize(("edit", "words"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_of_the_split_is_one_line(project: Project, edit: Edit, words: str) -> None:
    edit_split(project, edit)
    with pytest.raises(UserError, match=words) as error:
        load_dataset(project.results("bells"), "bells", params())
    assert str(project.results("bells") / "split.json") in one_line(error)


@pytest.mark.parametrize(
    "other", [params(6), params(validation=0.2), params(test=0.05)], ids=["seed", "shares", "test"]
)
def test_a_split_of_other_parameters_is_one_line(project: Project, other: Params) -> None:
    with pytest.raises(UserError, match="is not that of seed") as error:
        load_dataset(project.results("bells"), "bells", other)
    one_line(error)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (clips()[1:], "which is flagged or unknown"),
        ([*clips(), Clip("bells/ff/C9", 120, clips()[0].samples, RATE)], "lacks bells/ff/C9"),
        (clips(5000), "holds clips at 5000 Hz, and params.yaml says 4000"),
        ([*clips(), *clips(8000)[:1]], "holds clips at 8000 Hz"),
        ([], "which is flagged or unknown"),
    ],
)
def test_clips_of_another_prepare_are_one_line(
    project: Project, others: list[Clip], words: str
) -> None:
    write_clips(others, project.results("bells") / "clips.npz")
    with pytest.raises(UserError, match=words) as error:
        load_dataset(project.results("bells"), "bells", params())
    one_line(error)


@pytest.mark.parametrize("edit", [leaked, swapped])
@pytest.mark.parametrize("stage", ["search", "train", "compare", "register"])
def test_every_stage_refuses_an_edited_split(project: Project, stage: str, edit: Edit) -> None:
    edit_split(project, edit)
    before = sorted(project.root.rglob("results/**"))
    with pytest.raises(UserError, match=r"split\.json: .*prepare") as error:
        STAGES[stage](project, params(), "bells", Console(quiet=True))
    one_line(error)
    assert sorted(project.root.rglob("results/**")) == before


@pytest.mark.parametrize("edit", [leaked, swapped])
@pytest.mark.parametrize("name", ["evaluate", "ablate"])
def test_so_do_the_tables(project: Project, name: str, edit: Edit) -> None:
    best = {"model": "gru", "settings": {"units": 16, "resolution": 30}}
    (project.results("bells") / "best.json").write_text(json.dumps(best))
    edit_split(project, edit)
    console = Console(quiet=True)
    with pytest.raises(UserError, match=r"split\.json: .*prepare") as error:
        if name == "evaluate":
            choice = crossval.Choice((), None, Placement("cpu", 1))
            list(crossval.run_evaluation(project, params(), choice, console))
        else:
            chosen = ablation.Choice((), (), 1, Placement("cpu", 1))
            list(ablation.run_ablation(project, params(), chosen, console))
    one_line(error)
    assert not (project.root / "docs").exists()  # nothing was opened


def test_checkpoints_score_a_few_notes_of_every_pitch(project: Project) -> None:
    dataset = load_dataset(project.results("bells"), "bells", params())
    every = dataset.ids("validation")
    assert len(every) == 6  # three pitches of two takes
    assert dataset.checkpoint_ids(6) == dataset.checkpoint_ids(64) == every
    few = dataset.checkpoint_ids(3)
    assert len({id_.rpartition("/")[2] for id_ in few}) == len(few) == 3
    assert [id_ for id_ in every if id_ in few] == list(few)


def test_clips_with_a_damaged_sample_are_refused(project: Project) -> None:
    path = project.results("bells") / "clips.npz"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="does not hold clips: run the prepare stage again"):
        load_dataset(project.results("bells"), "bells", params())
