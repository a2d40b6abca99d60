from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.image

from notedecay.data import catalogue
from notedecay.plots.overview import overview


def test_an_overview_is_drawn_of_any_catalogue(data_dir: Path, tmp_path: Path) -> None:
    notes = catalogue.build(data_dir, "guitar", highpass_hz=40)
    endless = [replace(note, instrument="organ", t40=None, t60=None) for note in notes]
    overview([*notes, *endless], tmp_path / "deep" / "notes.png")
    picture = matplotlib.image.imread(tmp_path / "deep" / "notes.png")
    assert picture.shape[:2] == (1210, 1430)
    assert picture[..., :3].std() > 0.05


def test_a_single_unnamed_note_can_be_drawn(data_dir: Path, tmp_path: Path) -> None:
    notes = catalogue.build(data_dir, "guitar", highpass_hz=40)
    overview([n for n in notes if n.pitch_name == "?"], tmp_path / "notes.png")
    assert (tmp_path / "notes.png").stat().st_size > 1000
