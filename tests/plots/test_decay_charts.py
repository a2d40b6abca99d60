from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay.plots import decay_picture, save
from tests.synthetic import damped

RATE = 8400


def legends(samples: np.ndarray) -> list[list[str]]:
    figure = decay_picture(samples, RATE, "a note")
    found = [axes.get_legend() for axes in figure.axes]
    return [[text.get_text() for text in legend.get_texts()] if legend else [] for legend in found]


def test_the_picture_reads_the_true_t60s() -> None:
    partials, exponential, _ = legends(damped([440.0, 900.0], [2.0, 1.0], rate=RATE))
    assert partials == ["440 Hz: T60 2.00 s", "900 Hz: T60 1.00 s"]
    assert exponential[1].startswith("a exp(-bt) + c: T60 1.")


def test_the_picture_says_what_schroeder_hides() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)
    partials, exponential, schroeder = legends(tone)
    assert partials == ["440 Hz: no decay to measure"]
    assert "no decay to measure" in exponential[1]
    assert schroeder[0].startswith("Schroeder (integrated: hides a steady tone): T60 4.")
    assert schroeder[1].startswith("the same of a tone that never decays: T60 4.")


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.ones(100), np.ones(1)])
def test_the_picture_of_what_has_no_decay(samples: np.ndarray, tmp_path: Path) -> None:
    save(decay_picture(samples, RATE, "nothing"), tmp_path / "decay.png")
    assert (tmp_path / "decay.png").stat().st_size > 0
