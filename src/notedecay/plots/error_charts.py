"""Charts of the error of T60 over partials and over the length of the prime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from notedecay.metrics.scores import INAUDIBLE_RATIOS
from notedecay.plots.note import COLOURS, DPI, MARKERS

SHOWN_RATIOS = (0.1, 10.0)
RATIO_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def error_over_partials(
    ratios: Mapping[str, Mapping[int, Sequence[float]]], along: str, title: str = ""
) -> Figure:
    """Plot the ratio of generated to true T60 over the rank or number of the partial.

    Parameters
    ----------
    ratios : mapping of str to mapping of int to sequence of float
        For each model and rank of a partial the T60 made over the true one; what does not
        decay (``inf``) or is not there (``nan``) counts as far too long.
    along : str
        Label of the axis: ranks by level, or numbers from the fundamental on.
    title : str
        A headline.

    Returns
    -------
    Figure
        1000 x 600 pixels: median and quartiles.
    """
    figure = Figure(figsize=(10, 6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    low, high = INAUDIBLE_RATIOS
    axes.axhspan(low, high, color="0.85", label="sounds right: 0.75 to 1.40 times as long")
    axes.axhline(1.0, color="0.5", linewidth=1.0)
    for k, (name, by_place) in enumerate(ratios.items()):
        _quartiles(axes, by_place, name, k, 0.16 * (k - (len(ratios) - 1) / 2))
    axes.set_xticks(sorted({place for by_place in ratios.values() for place in by_place}))
    least, most = SHOWN_RATIOS
    axes.set(yscale="log", ylim=(least / 1.1, 1.1 * most))  # no marker is cut in two
    axes.set_yticks(RATIO_TICKS)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(along, fontsize=12)
    axes.set_ylabel("decay time, made over true\n(median and quartiles over notes)", fontsize=12)
    axes.set_title(title or "Which partials take the wrong time to die away?")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=11)
    return figure


def decay_over_prime(values: Mapping[float, Sequence[float]], title: str = "") -> Figure:
    """Draw decay ok over the length of the prime.

    Parameters
    ----------
    values : mapping of float to sequence of float
        Of each length (s), decay ok of each note.
    title : str
        A headline.

    Returns
    -------
    Figure
        1000 x 600 pixels: the mean, and its standard error over notes.
    """
    figure = Figure(figsize=(10, 6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    lengths = sorted(values)
    known = [np.array([v for v in values[s] if np.isfinite(v)]) for s in lengths]
    means = [float(v.mean()) if v.size else np.nan for v in known]
    errors = [float(v.std() / np.sqrt(v.size)) if v.size else np.nan for v in known]
    milliseconds = [1000 * s for s in lengths]
    axes.errorbar(milliseconds, means, yerr=errors, marker="o", color=COLOURS[0], capsize=4)
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("length of the prime (ms)", fontsize=12)
    axes.set_ylabel("share of partials whose decay sounds right", fontsize=12)
    axes.set_title(title or "How much must be heard?")
    axes.grid(alpha=0.3)
    return figure


def _quartiles(
    axes: Axes, by_place: Mapping[int, Sequence[float]], name: str, k: int, aside: float
) -> None:
    """Median and quartiles at each place; the figure's edge stands for all that is beyond."""
    places = sorted(by_place)
    least, most = SHOWN_RATIOS
    every = [np.nan_to_num(np.asarray(by_place[p]), nan=most, posinf=most) for p in places]
    low, middle, high = (
        np.array([np.percentile(v, q) for v in every]).clip(least, most) for q in (25, 50, 75)
    )
    axes.errorbar(
        np.array(places) + aside,
        middle,
        yerr=[middle - low, high - middle],
        linestyle="",
        marker=MARKERS[k % len(MARKERS)],
        color=COLOURS[k % len(COLOURS)],
        capsize=3,
        label=name,
    )
