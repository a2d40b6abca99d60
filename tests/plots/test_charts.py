from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay.metrics import MEASURES, Reference
from notedecay.plots import PitchPoint, comparison_bars, decay_scatter, save, scores_by_pitch
from notedecay.plots.charts import WORDS
from tests.synthetic import damped


def legend_texts(legend: object) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]  # type: ignore[attr-defined]


def test_scatter_shows_what_decays_and_what_does_not(tmp_path: Path) -> None:
    figure = decay_scatter(
        [1.0, 2.0, 4.0, np.nan], [1.1, np.inf, np.nan, 1.0], ["lstm", "lstm", "burg", "burg"]
    )
    save(figure, tmp_path / "scatter.png")
    texts = legend_texts(figure.legends[0])
    assert "lstm: no decay to measure (1)" in texts
    assert "burg: no decay to measure (1)" in texts
    assert "lstm (2 partials)" in texts


def test_scatter_of_nothing(tmp_path: Path) -> None:
    save(decay_scatter([], [], []), tmp_path / "scatter.png")


def test_scatter_refuses_labels_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="labels"):
        decay_scatter([1.0, 2.0], [1.0, 2.0], ["lstm"])


def test_pitch_tells_seen_from_unseen(tmp_path: Path) -> None:
    points = {
        "lstm": [PitchPoint(60, 0.5, True), PitchPoint(67, 0.2, False)],
        "esprit": [PitchPoint(60, 0.4, False), PitchPoint(72, float("nan"), False)],
    }
    figure = scores_by_pitch(points, "missing")
    save(figure, tmp_path / "pitch.png")
    axes = figure.axes[0]
    assert legend_texts(axes.get_legend()) == [
        "lstm",
        "esprit",
        "note not in training",
        "note seen in training",
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["C4", "G4", "C5"]
    assert axes.get_ylabel() == WORDS["missing"]


def test_pitch_of_nothing(tmp_path: Path) -> None:
    save(scores_by_pitch({}), tmp_path / "pitch.png")


def test_bars_are_means_and_empty_rows_say_so(tmp_path: Path) -> None:
    note = damped([220.0, 440.0], [2.0, 1.0], rate=8000)
    reference = Reference(note, 8000, 0.5)
    copy, silence = reference.score(note), reference.score(np.zeros_like(note))
    figure = comparison_bars({"copy": [copy, copy], "half": [copy, silence], "silence": [silence]})
    save(figure, tmp_path / "bars.png")
    panels = {axes.get_xlabel(): axes for axes in figure.axes}
    bars = panels[WORDS["score"]].patches
    widths = np.array([bar.get_window_extent().width for bar in bars])
    assert widths / max(widths) == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)
    cents = panels[WORDS["pitch_cents"]]
    assert [text.get_text().strip() for text in cents.texts] == ["nothing to score"]


def test_every_measure_has_its_words() -> None:
    assert set(WORDS) == set(MEASURES)
