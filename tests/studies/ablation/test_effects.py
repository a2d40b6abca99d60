"""Contribution of a component: paired over notes, seeds averaged first; and its page."""

from __future__ import annotations

from typing import Any

import pytest

from notedecay.studies.ablation.effects import SHOWN, Effect, effects, markdown
from notedecay.studies.ablation.forest_plot import forest_plot
from notedecay.studies.ablation.variants import FULL


def row(variant: str, seed: int, note: int, decay_ok: float | None, score: float) -> dict[str, Any]:
    named = {"variant": variant, "seed": seed, "note": f"x/own/{note}"}
    return named | dict.fromkeys(SHOWN, 0.0) | {"decay_ok": decay_ok, "score": score}


@pytest.fixture
def found() -> list[Effect]:
    """Twenty notes, two seeds: one component helps, one harms, one does nothing for the score."""
    rows = []
    for note in range(20):
        level = 0.02 * note  # notes differ by far more than the models
        for seed in (1, 2):
            aside = 0.01 * (-1) ** seed  # gone when the seeds are averaged
            rows += [
                row(FULL, seed, note, 0.4 + level, 0.3),
                row("without harm", seed, note, 0.45 + level, 0.3 + 0.02 * (-1) ** note),
                row("without help", seed, note, 0.3 + level + aside, 0.25),
            ]
    return effects(rows)


def test_differences_are_paired_and_sorted(found: list[Effect]) -> None:
    assert [one.label for one in found] == [FULL, "without help", "without harm"]
    full, helps, harms = found
    assert (full.notes, full.seeds) == (20, 2)
    assert full.means["decay_ok"] == pytest.approx(0.59)
    assert helps.contribution["decay_ok"].mean == pytest.approx(0.1)
    assert helps.contribution["decay_ok"].low == pytest.approx(0.1)
    assert helps.contribution["decay_ok"].high == pytest.approx(0.1)
    assert harms.contribution["decay_ok"].mean == pytest.approx(-0.05)
    assert harms.contribution["score"].mean == pytest.approx(0.0)
    assert harms.contribution["score"].low == pytest.approx(-0.0088, abs=0.002)
    assert harms.contribution["score"].by_chance


def test_a_note_without_a_decay_counts_for_the_rest() -> None:
    rows = [row(v, 1, n, None if n else 0.5, 0.2) for v in (FULL, "without x") for n in (0, 1)]
    _, without = effects(rows)
    assert without.means["decay_ok"] == 0.5
    assert without.means["score"] == pytest.approx(0.2)
    assert without.notes == 2


def test_the_page_has_sentences_and_tables(found: list[Effect]) -> None:
    page = markdown("bells", found)
    assert "- **help**: raises decay ok by 0.100, raises score by 0.050." in page
    assert "- **harm**: lowers decay ok by 0.050, " in page
    assert " (the interval holds 0)." in page
    assert "20 notes of the parts train and validation" in page
    assert "| help | **+0.100** (+0.100 to +0.100) |" in page


def test_the_picture_has_a_line_for_each_component(found: list[Effect]) -> None:
    figure = forest_plot(found, "bells")
    decay, score = figure.axes
    assert [label.get_text() for label in decay.get_yticklabels()] == ["help", "harm"]
    assert [text.get_text() for text in decay.texts][:2] == ["+0.100", "-0.050"]
    low, high = score.get_xlim()
    assert low == -high
    assert score.get_title() == "score, full model 0.30"
