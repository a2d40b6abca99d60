"""A page that is committed shows its pictures, and says what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from notedecay.reports.publishing import Picture, publish


def test_below_each_picture_stands_what_it_shows(tmp_path: Path) -> None:
    text, source = tmp_path / "table.md", tmp_path / "by_pitch.png"
    text.write_text("| a |")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(source)
    shown = {"bells-by_pitch.png": Picture(source, "High notes are hard.")}
    page = publish(text, shown, tmp_path / "docs/bells.md")
    assert page.read_text() == ("| a |\n![by pitch](bells-by_pitch.png)\n\nHigh notes are hard.\n")
    assert (tmp_path / "docs/bells-by_pitch.png").exists()
