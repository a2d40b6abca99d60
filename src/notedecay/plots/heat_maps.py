"""Heat maps of a net over its training: epochs on x, layers or time slices on y."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from notedecay.metrics.spectra import Array
from notedecay.plots.note import DPI

SHOWN_DECADES = 8
"""Range of a logarithmic scale; what lies lower has the lowest colour."""

NOTHING, UNKNOWN = "#D55E00", "0.85"
EPOCH_TICKS = 12


def layer_map(
    values: ArrayLike,
    layers: Sequence[str],
    epochs: Sequence[int],
    *,
    title: str,
    label: str,
    logarithmic: bool = False,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Plot one number for each layer and epoch.

    Parameters
    ----------
    values : array_like of float, shape (layers, epochs)
        NaN where a layer has no such number: grey.
    layers : sequence of str
        Names from the input to the output, drawn from top to bottom.
    epochs : sequence of int
        At which was looked.
    title, label : str
        A headline; what the colours mean.
    logarithmic : bool
        Whether colours stand for powers of ten; values of 0 are red then.
    limits : pair of float, optional
        Ends of the colour scale, where they are not those of the values.

    Returns
    -------
    Figure
        1000 pixels wide.
    """
    grid = np.asarray(values, np.float64)
    figure = Figure(figsize=(10, 2.2 + 0.42 * len(layers)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    image = _draw(axes, grid, _scale(grid, limits, logarithmic=logarithmic))
    axes.set_yticks(range(len(layers)), labels=list(layers))
    axes.set_ylabel("layer, the input's on top")
    _epoch_axis(axes, epochs)
    figure.suptitle(f"{title}{_key(grid, logarithmic=logarithmic)}", fontsize=12)
    figure.colorbar(image, ax=axes, label=label)
    return figure


def time_maps(
    values: Mapping[str, ArrayLike], epochs: Sequence[int], *, title: str, label: str
) -> Figure:
    """Draw a number for each time slice, over training, in a panel for each layer.

    Parameters
    ----------
    values : mapping of str to array_like of float, shape (slices, epochs)
        One or more panels by name, on one logarithmic scale; values of 0 are red.
    epochs : sequence of int
        At which was looked.
    title, label : str
        A headline; what the colours mean.

    Returns
    -------
    Figure
        Up to three panels in a row, 900 to 1200 pixels wide.
    """
    grids = {name: np.asarray(grid, np.float64) for name, grid in values.items()}
    everything = np.concatenate(list(grids.values()))
    scale = _scale(everything, None, logarithmic=True)
    columns = min(3, len(grids))
    rows = -(-len(grids) // columns)
    size = (max(9.0, 1.5 + 3.5 * columns), 1.4 + 3.4 * rows)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[len(grids) :]:
        axes.set_visible(False)
    for axes, (name, grid) in zip(panels.flat, grids.items(), strict=False):
        image = _draw(axes, grid, scale, upwards=True)
        axes.set_title(name, fontsize=11)
        ticks = np.linspace(-0.5, len(grid) - 0.5, 5)
        axes.set_yticks(ticks, labels=[f"{share:.0%}" for share in np.linspace(0.0, 1.0, 5)])
        _epoch_axis(axes, epochs, EPOCH_TICKS // 2)
    for axes in panels[:, 0]:
        axes.set_ylabel("time in the note, from its onset")
    figure.suptitle(f"{title}{_key(everything, logarithmic=True)}", fontsize=12)
    figure.colorbar(image, ax=panels, label=label)
    return figure


def _scale(grid: Array, limits: tuple[float, float] | None, *, logarithmic: bool) -> Normalize:
    known = grid[np.isfinite(grid) & ((grid > 0.0) | (not logarithmic))]
    low, high = limits or ((known.min(), known.max()) if known.size else (0.1, 1.0))
    if logarithmic:
        low = max(low, high / 10**SHOWN_DECADES)
        return LogNorm(min(low, high / 10.0), high)
    return Normalize(low, high if high > low else low + 1.0)


def _draw(axes: Axes, grid: Array, scale: Normalize, *, upwards: bool = False) -> AxesImage:
    colours = matplotlib.colormaps["viridis"].with_extremes(bad=UNKNOWN)
    if isinstance(scale, LogNorm):
        colours = colours.with_extremes(bad=UNKNOWN, under=NOTHING)
        lowest = float(scale.vmin or 0.0)
        grid = np.where(
            grid > 0.0, np.maximum(grid, lowest), np.where(grid == 0.0, lowest / 10, grid)
        )
    return axes.imshow(
        np.ma.masked_invalid(grid),
        aspect="auto",
        interpolation="nearest",
        origin="lower" if upwards else "upper",
        cmap=colours,
        norm=scale,
    )


def _epoch_axis(axes: Axes, epochs: Sequence[int], most: int = EPOCH_TICKS) -> None:
    """Name every epoch, or every second, third, ..."""
    shown = range(0, len(epochs), -(-len(epochs) // most))
    axes.set_xticks(shown, labels=[str(epochs[k]) for k in shown])
    axes.set_xlabel("epoch")


def _key(grid: Array, *, logarithmic: bool) -> str:
    """Second line of the headline: the colours that are not on the scale."""
    words = ["red: none at all"] if logarithmic and (grid == 0.0).any() else []
    words += ["grey: nothing to measure"] if np.isnan(grid).any() else []
    return f"\n({', '.join(words)})" if words else ""
