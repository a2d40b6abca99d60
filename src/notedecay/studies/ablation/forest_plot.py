"""Forest plot of the contribution of each component."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from notedecay.metrics.bootstrap import Interval
from notedecay.plots.note import COLOURS, DPI
from notedecay.studies.ablation.effects import SUMMARISED, Effect

TITLES = {"decay_ok": "decay ok", "score": "score"}
BETTER, WORSE, CHANCE = COLOURS[2], COLOURS[1], "0.55"


def forest_plot(found: Sequence[Effect], title: str) -> Figure:
    """Draw the difference that each component makes, with its interval.

    Parameters
    ----------
    found : sequence of Effect
        The full model first.
    title : str
        Above the panels.

    Returns
    -------
    Figure
        1100 pixels wide: a panel for decay ok and one for the score, a line for each component.
    """
    full, *others = found
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(11, 2.1 + 0.55 * len(others)), dpi=DPI, layout=layout)
    figure.suptitle(title, fontsize=15)
    panels = figure.subplots(1, len(SUMMARISED), sharey=True)
    for axes, measure in zip(panels, SUMMARISED, strict=True):
        for k, one in enumerate(others):
            _line(axes, k, one.contribution[measure])
        _frame(axes, len(others), f"{TITLES[measure]}, full model {full.means[measure]:.2f}")
    panels[0].set_yticks(range(len(others)), labels=[one.component for one in others], fontsize=12)
    panels[0].set_ylim(len(others) - 0.5, -0.5)
    figure.supxlabel(
        f"with the component minus without it, mean over {full.notes} notes and 95 % interval; "
        "hollow and grey: the interval holds 0",
        fontsize=11,
    )
    return figure


def _line(axes: Axes, k: int, contribution: Interval) -> None:
    """Draw one component; its mean is written at the right edge, whatever the scale."""
    colour = CHANCE if contribution.by_chance else BETTER if contribution.mean > 0 else WORSE
    face = "white" if contribution.by_chance else colour
    axes.plot(
        [contribution.low, contribution.high],
        [k, k],
        color=colour,
        linewidth=3,
        solid_capstyle="round",
    )
    axes.plot(contribution.mean, k, "o", markersize=10, markeredgewidth=2, color=colour, mfc=face)
    axes.annotate(
        f"{contribution.mean:+.3f}",
        (1.02, k),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=11,
        color=colour,
    )


def _frame(axes: Axes, count: int, name: str) -> None:
    """Draw a line at no difference, in the middle of the scale."""
    axes.axvline(0.0, color="0.2", linewidth=1.0, zorder=0)
    for k in range(1, count, 2):
        axes.axhspan(k - 0.5, k + 0.5, color="0.96", zorder=-1)
    axes.set_title(name, fontsize=13, pad=22)
    for x, side, word in (
        (0.0, "left", "\u2190 the component harms"),
        (1.0, "right", "it helps \u2192"),
    ):
        place = (x, 1.02)
        axes.annotate(word, place, xycoords="axes fraction", ha=side, color="0.35", fontsize=10)
    most = max(abs(edge) for edge in axes.get_xlim())
    axes.set_xlim(-most, most)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:+g}" if x else "0"))
    axes.grid(alpha=0.3, axis="x")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
