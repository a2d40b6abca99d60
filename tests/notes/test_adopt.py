from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.errors import UserError
from notedecay.notes import catalogue
from notedecay.notes.adopt import adopt
from tests.notes.conftest import put


def test_own_recordings_are_taken_in_and_the_rest_is_named(tmp_path: Path) -> None:
    own = tmp_path / "my harp"
    put(own / "C4.wav", 60)
    put(own / "loud" / "harp_E4_ff.wav", 64)
    put(own / "tuning.wav", 60)
    (own / "D4.wav").write_text("not audio")
    (own / "notes.txt").write_text("recorded in June")
    left_out = adopt(own, "harp", tmp_path / "data")
    assert len(left_out) == 3
    for name, reason in {
        "D4.wav": "is not audio",
        "notes.txt": "not a WAV",
        "tuning.wav": "no pitch in its name",
    }.items():
        assert any(name in line and reason in line for line in left_out)
    notes = catalogue.build(tmp_path / "data", "harp", highpass_hz=40)
    assert [(n.id, n.source) for n in notes] == [
        ("harp/ff/E4", "your own"),
        ("harp/my harp/C4", "your own"),
    ]


def test_what_cannot_be_taken_in(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with pytest.raises(UserError, match="no such folder"):
        adopt(own, "harp", tmp_path / "data")
    put(own / "tuning.wav", 60)
    with pytest.raises(UserError, match="holds no recording named by its pitch"):
        adopt(own, "harp", tmp_path / "data")
    put(own / "C4.wav", 60)
    with pytest.raises(UserError, match="cannot name an instrument"):
        adopt(own, "../harp", tmp_path / "data")
    adopt(own, "harp", tmp_path / "data")
    with pytest.raises(UserError, match="is there already"):
        adopt(own, "harp", tmp_path / "data")
