"""The seal: looking twice with other competitors takes a reason, and is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.core.tables import read_json
from notedecay.studies.crossval.access_log import open_once


def test_the_same_systems_may_be_evaluated_again(tmp_path: Path) -> None:
    assert (
        open_once(tmp_path / "docs" / "x.json", {"lstm": {"units": 8}}, "code", "notes", None) == 1
    )
    assert (
        open_once(tmp_path / "docs" / "x.json", {"lstm": {"units": 8}}, "code", "notes", None) == 1
    )
    assert len(read_json(tmp_path / "docs" / "x.json")) == 1


def test_others_need_a_reason_which_is_kept_and_counted(tmp_path: Path) -> None:
    open_once(tmp_path / "docs" / "x.json", {"lstm": {"units": 8}}, "code", "notes", None)
    with pytest.raises(UserError, match="to choose by their figures is to tune on them"):
        open_once(tmp_path / "docs" / "x.json", {"lstm": {"units": 16}}, "code", "notes", None)
    assert (
        open_once(
            tmp_path / "docs" / "x.json",
            {"lstm": {"units": 16}},
            "code",
            "notes",
            "a fault is corrected",
        )
        == 2
    )
    assert [one["why"] for one in read_json(tmp_path / "docs" / "x.json")] == [
        "first evaluation", "a fault is corrected",
    ]  # fmt: skip


def test_other_notes_have_a_seal_of_their_own(tmp_path: Path) -> None:
    open_once(tmp_path / "docs" / "x.json", {"lstm": {"units": 8}}, "code", "notes", None)
    assert (
        open_once(
            tmp_path / "docs" / "x.json", {"lstm": {"units": 16}}, "code", "other notes", None
        )
        == 1
    )


def test_changed_code_is_another_competitor(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    open_once(path, {"lstm": {"units": 8}}, "code", "notes", None)
    with pytest.raises(UserError, match="--again"):
        open_once(path, {"lstm": {"units": 8}}, "changed", "notes", None)
    assert open_once(path, {"lstm": {"units": 8}}, "changed", "notes", "a new model") == 2
