from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from notedecay.core.errors import UserError
from notedecay.plots import save, triple
from tests.synthetic import damped

RATE = 8400


@pytest.fixture(scope="module")
def note() -> Figure:
    original = damped([220.0, 440.0, 900.0], [4.0, 2.0, 1.0], seconds=5.0, rate=RATE)
    generated = damped([220.0, 440.0, 900.0], [3.0, 2.5, 0.5], seconds=4.5, rate=RATE)
    return triple(original, generated, generated[2772:], RATE, 0.33, "piano/ff/A3, an LSTM")


def test_triple_shows_three_spectrograms_on_one_scale(note: Figure) -> None:
    images = [mesh for axes in note.axes[:3] for mesh in axes.collections]
    assert len(images) == 3
    assert {image.get_clim() for image in images} == {(-80.0, 0.0)}
    middles = images[2].get_coordinates()[0, :2, 0].mean()
    assert middles == pytest.approx(0.33, abs=0.005)
    assert images[0].get_coordinates()[-1, 0, 1] == pytest.approx(4200, abs=20)
    assert len(note.axes[0].get_xticks()) > 3
    assert note.axes[0].get_xlabel() == "time since the onset (s)"


def test_triple_marks_the_prime_and_labels_axes_with_units(note: Figure) -> None:
    panels = [axes for axes in note.axes if axes.get_xlabel()]
    assert len(panels) == 5
    for axes in panels:
        assert axes.get_xlabel().endswith("(s)")
        assert any(np.allclose(line.get_xdata(), 0.33) for line in axes.lines)


def test_triple_names_its_partials(note: Figure) -> None:
    legend = note.axes[4].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["original", "generated", "220 Hz", "440 Hz", "900 Hz"]


def test_decay_curves_follow_the_truth(note: Figure) -> None:
    solid = [line for line in note.axes[4].lines if line.get_linestyle() == "-"]
    slopes = []
    for line in solid:
        t, level = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        slopes.append(np.polyfit(t[:40], level[:40], 1)[0])
    assert sorted(slopes) == pytest.approx([-60.0, -30.0, -15.0], rel=0.02)


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_triple_of_signals_without_partials(
    make: Callable[[int], np.ndarray], tmp_path: Path
) -> None:
    samples = make(RATE)
    save(triple(samples, samples, samples[2772:], RATE, 0.33, "nothing"), tmp_path / "a.png")


def test_save_writes_1200_pixels_whole(note: Figure, tmp_path: Path) -> None:
    save(note, tmp_path / "new" / "note.png")
    data = (tmp_path / "new" / "note.png").read_bytes()
    assert data[:4] == b"\x89PNG"
    assert int.from_bytes(data[16:20]) == 1200
    assert [f.name for f in (tmp_path / "new").iterdir()] == ["note.png"]


def test_save_says_where_it_could_not_write(note: Figure, tmp_path: Path) -> None:
    (tmp_path / "note.png").mkdir()
    with pytest.raises(UserError, match=r"note.png cannot be written"):
        save(note, tmp_path / "note.png")
