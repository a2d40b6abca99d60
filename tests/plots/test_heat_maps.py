"""Heat maps: rows, columns and colours stand where they belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from notedecay.plots import save
from notedecay.plots.heat_maps import NOTHING, UNKNOWN, layer_map, time_maps

WORDS = {"title": "A title", "label": "a number"}


def colours(axes: Axes) -> np.ndarray:
    (image,) = axes.images
    return np.asarray(image.to_rgba(image.get_array()))


def ticks(axes: Axes) -> tuple[list[str], list[str]]:
    labels = axes.get_xticklabels(), axes.get_yticklabels()
    across, upwards = ([label.get_text() for label in some] for some in labels)
    return across, upwards


def test_layers_from_top_to_bottom_and_epochs_from_left_to_right(tmp_path: Path) -> None:
    values = [[1.0, 0.1, 0.01], [1e-5, 0.0, np.nan]]
    figure = layer_map(values, ["inward", "lstm"], [2, 4, 6], **WORDS, logarithmic=True)
    save(figure, tmp_path / "map.png")
    axes, bar = figure.axes
    assert ticks(axes) == (["2", "4", "6"], ["inward", "lstm"])
    top, bottom = axes.transData.transform([(0, 0), (0, 1)])
    assert top[1] > bottom[1]
    assert bar.get_ylabel() == "a number"
    assert figure.get_suptitle() == "A title\n(red: none at all, grey: nothing to measure)"
    shown = colours(axes)
    assert tuple(shown[1, 1]) == to_rgba(NOTHING)
    assert tuple(shown[1, 2]) == to_rgba(UNKNOWN)
    assert shown[0, 0, 1] > shown[0, 1, 1] > shown[0, 2, 1] > shown[1, 0, 1]  # ever darker


def test_a_share_of_0_is_no_alarm() -> None:
    figure = layer_map([[0.0, 0.5]], ["relu"], [1, 2], **WORDS, limits=(0.0, 1.0))
    assert figure.get_suptitle() == "A title"
    assert figure.axes[0].images[0].get_clim() == (0.0, 1.0)


def test_many_epochs_are_named_at_even_steps() -> None:
    epochs = list(range(4, 104, 4))
    figure = layer_map(np.ones((1, 25)), ["lstm"], epochs, **WORDS, logarithmic=True)
    assert ticks(figure.axes[0])[0] == ["4", "16", "28", "40", "52", "64", "76", "88", "100"]


def test_time_goes_upwards_in_a_panel_for_each_layer(tmp_path: Path) -> None:
    early = np.outer(np.linspace(1.0, 0.1, 32), [1.0, 0.5])
    figure = time_maps(
        {"inward": early, "lstm": early[::-1], "outward": early, "more": 0 * early}, [1, 2], **WORDS
    )
    save(figure, tmp_path / "map.png")
    axes = {a.get_title(): a for a in figure.axes if a.get_title()}
    assert list(axes) == ["inward", "lstm", "outward", "more"]
    low, high = axes["lstm"].transData.transform([(0, 0), (0, 31)])
    assert high[1] > low[1]
    assert ticks(axes["lstm"])[1] == ["0%", "25%", "50%", "75%", "100%"]
    assert colours(axes["lstm"])[31, 0, 1] > colours(axes["lstm"])[0, 0, 1]
    assert (colours(axes["more"]) == to_rgba(NOTHING)).all()


@pytest.mark.parametrize("value", [0.0, np.nan, 1.0])
def test_maps_of_one_value_can_be_drawn(value: float, tmp_path: Path) -> None:
    for logarithmic in (True, False):
        figure = layer_map([[value]], ["a"], [1], **WORDS, logarithmic=logarithmic)
        save(figure, tmp_path / "layers.png")
    save(time_maps({"a": [[value]] * 4}, [1], **WORDS), tmp_path / "time.png")
