"""Pictures of many notes: decay times, scores over pitch, models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike

from notedecay.metrics.scores import INAUDIBLE_RATIOS, Scores
from notedecay.metrics.spectra import Array
from notedecay.plots.note import COLOURS, DPI, MARKERS

WORDS = {
    "score": "score (0 to 1, higher is better)",
    "decay_ok": "share of partials whose decay\nsounds right (higher is better)",
    "decay_credit": "credit for decay (0 to 1, higher is better)",
    "missing": "share of partials missing\n(lower is better)",
    "pitch_cents": "out of tune by (cents, lower is better,\nunder 5 is hard to hear)",
    "noise_db": "noise (dB re the note's beginning)",
    "excess_noise_db": "more noise than the original\n(dB, 0 or less is good)",
    "lsd_db": "distance of the spectra (dB, lower is better)",
    "envelope_db": "level over time is wrong by\n(dB, lower is better)",
    "tail_db": "left over after the note has ended\n(dB re the original, 0 or less is good)",
    "join_snr_db": "fit at the end of the prime (dB, over 15 is good)",
}
"""Each measure in plain words with its unit."""

COMPARED = ("score", "decay_ok", "missing", "pitch_cents", "excess_noise_db", "envelope_db")
SPREAD_PERCENTILES = (10, 90)


@dataclass(frozen=True)
class PitchPoint:
    """A measure of one note.

    Attributes
    ----------
    pitch : int
        MIDI number.
    value : float
        The measure; NaN is left out.
    seen : bool
        Whether the model was trained on this pitch.
    """

    pitch: int
    value: float
    seen: bool


def decay_scatter(
    true_t60: ArrayLike, predicted_t60: ArrayLike, labels: Sequence[str], title: str = ""
) -> Figure:
    """Draw generated over true decay time, a point for each partial, on logarithmic axes.

    Parameters
    ----------
    true_t60, predicted_t60 : array_like of float, shape (partials,)
        Seconds. A partial with a true T60 that is not finite is left out; one that does not
        decay or cannot be measured in the continuation is drawn at the upper edge.
    labels : sequence of str
        Group of each partial, such as its model, shown by colour and marker.
    title : str
        A headline.

    Returns
    -------
    Figure
        1000 x 900 pixels.

    Raises
    ------
    ValueError
        The three differ in length.
    """
    true, predicted = np.asarray(true_t60, np.float64), np.asarray(predicted_t60, np.float64)
    if not len(true) == len(predicted) == len(labels):
        raise ValueError(f"{len(true)} true T60, {len(predicted)} predicted, {len(labels)} labels")
    shown = np.isfinite(true) & (true > 0.0)
    lowest, highest = _decade_limits(np.concatenate([true[shown], predicted]))
    figure = Figure(figsize=(10, 9), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    line = np.array([lowest, highest])
    low, high = INAUDIBLE_RATIOS
    axes.fill_between(
        line,
        low * line,
        high * line,
        color="0.85",
        label="sounds right: 0.75 to 1.40 times as long",
    )
    axes.plot(line, line, color="0.5", linewidth=1.0, label="exactly right")
    names = np.asarray(labels, dtype=np.str_)
    for k, name in enumerate(dict.fromkeys(labels)):
        mine = shown & (names == name)
        _scatter_group(axes, true[mine], predicted[mine], name, k, highest)
    axes.set(xscale="log", yscale="log", xlim=(lowest, highest), ylim=(lowest, 1.15 * highest))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel("true time in which the partial falls by 60 dB (T60, s)", fontsize=12)
    axes.set_ylabel("the same in the generated sound (s)", fontsize=12)
    axes.set_title(title or "Does each partial take as long to die away as it should?")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def scores_by_pitch(
    points: Mapping[str, Sequence[PitchPoint]], measure: str = "decay_ok", title: str = ""
) -> Figure:
    """Draw a measure over pitch for several models, with different marks for seen and unseen notes.

    Parameters
    ----------
    points : mapping of str to sequence of PitchPoint
        The notes of each model.
    measure : str
        A measure of :class:`notedecay.metrics.scores.Scores`, for the axis label.
    title : str
        A headline.

    Returns
    -------
    Figure
        1200 x 600 pixels.
    """
    figure = Figure(figsize=(12, 6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for k, mine in enumerate(points.values()):
        # A fraction of a semitone aside, so that equal values do not hide each other.
        aside = 0.5 * ((k + 0.5) / len(points) - 0.5)
        for seen in (False, True):
            some = [p for p in mine if p.seen is seen]
            axes.scatter(
                [p.pitch + aside for p in some],
                [p.value for p in some],
                s=45,
                marker=MARKERS[k % len(MARKERS)],
                edgecolors=COLOURS[k % len(COLOURS)],
                facecolors="none" if seen else COLOURS[k % len(COLOURS)],
            )
    handles = [_key(name, k) for k, name in enumerate(points)]
    if len({p.seen for mine in points.values() for p in mine}) > 1:
        handles += [
            _key("note not in training", None),
            _key("note seen in training", None, hollow=True),
        ]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=11)
    pitches = [p.pitch for mine in points.values() for p in mine] or [60]
    _pitch_axis(axes, min(pitches), max(pitches))
    axes.set_ylabel(WORDS.get(measure, measure), fontsize=12)
    axes.set_title(title or "How well each note is continued, from low to high")
    axes.grid(alpha=0.3)
    return figure


def comparison_bars(
    table: Mapping[str, Sequence[Scores]],
    measures: Sequence[str] = COMPARED,
    title: str = "Models side by side",
) -> Figure:
    """Draw models side by side: mean over notes, 10th to 90th percentile, each note.

    Parameters
    ----------
    table : mapping of str to sequence of Scores
        The notes of each model, in the order in which to list them.
    measures : sequence of str
        Up to six measures of :class:`notedecay.metrics.scores.Scores`.
    title : str
        A headline.

    Returns
    -------
    Figure
        1200 pixels wide.
    """
    rows = -(-len(measures) // 3)
    height = rows * (1.6 + 0.35 * len(table)) + 0.8
    figure = Figure(figsize=(12, height), dpi=DPI, layout="constrained")
    figure.suptitle(f"{title}\nbar: mean over notes, line: 10th to 90th percentile, dots: notes")
    panels = figure.subplots(rows, 3, squeeze=False, sharey=True)
    for axes, measure in zip(panels.flat, measures, strict=False):
        for k, scores in enumerate(table.values()):
            values = np.array([getattr(s, measure) for s in scores], np.float64)
            _bar(axes, k, values[np.isfinite(values)])
        axes.set_xlabel(WORDS.get(measure, measure))
        axes.set_yticks(range(len(table)), labels=list(table))
        axes.grid(alpha=0.3, axis="x")
        axes.set_axisbelow(True)
    for axes in panels.flat[len(measures) :]:
        axes.set_visible(False)
    panels[0, 0].invert_yaxis()
    return figure


def _scatter_group(
    axes: Axes, true: Array, predicted: Array, name: str, k: int, edge: float
) -> None:
    """Draw the partials of one label; those that do not decay as arrows at the upper edge."""
    decays = np.isfinite(predicted) & (predicted <= edge)
    colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
    label = f"{name} ({decays.size} partials)"
    axes.scatter(
        true[decays], predicted[decays], s=28, c=colour, marker=marker, alpha=0.7, label=label
    )
    held = true[~decays]
    if held.size:
        label = f"{name}: no decay to measure ({held.size})"
        axes.scatter(
            held, np.full(held.size, 1.07 * edge), s=60, c=colour, marker="$\\uparrow$", label=label
        )


def _decade_limits(t60: Array) -> tuple[float, float]:
    """Axis limits (s) that hold every measured T60 up to a minute."""
    known = t60[np.isfinite(t60) & (t60 > 0.0) & (t60 <= 60.0)]
    if not known.size:
        return 0.1, 10.0
    return 0.8 * float(known.min()), 1.25 * float(known.max())


def _key(name: str, k: int | None, *, hollow: bool = False) -> Line2D:
    """Make a legend entry: a model's colour and marker, or grey for all models."""
    colour, marker = (
        ("0.4", "o") if k is None else (COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)])
    )
    face = "none" if hollow else colour
    return Line2D(
        [], [], linestyle="", marker=marker, color=colour, markerfacecolor=face, label=name
    )


def _pitch_axis(axes: Axes, lowest: int, highest: int) -> None:
    """Name the C and the G of each octave."""
    ticks = [p for p in range(lowest - 1, highest + 2) if p % 12 in (0, 7)]
    axes.set_xticks(ticks, labels=[f"{'C' if p % 12 == 0 else 'G'}{p // 12 - 1}" for p in ticks])
    axes.set_xlim(lowest - 1.0, highest + 1.0)
    axes.set_xlabel("pitch", fontsize=12)


def _bar(axes: Axes, k: int, values: Array) -> None:
    """Mean, spread and single notes of one model; a remark where nothing was scored."""
    if not values.size:
        axes.annotate(
            " nothing to score", (0.0, k), xycoords=("axes fraction", "data"), va="center"
        )
        return
    mean = float(values.mean())
    low, high = np.percentile(values, SPREAD_PERCENTILES)
    axes.barh(k, mean, height=0.7, color=COLOURS[5], zorder=1)
    axes.plot([low, high], [k, k], color="black", linewidth=1.5, zorder=2)
    scattered = k + np.linspace(-0.25, 0.25, values.size)
    axes.scatter(values, scattered, s=8, color=COLOURS[0], alpha=0.6, zorder=3)
