"""Picture of a catalogue: decay and tuning over pitch, notes set aside marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from notedecay.core.files import replacing
from notedecay.data import pitch
from notedecay.data.measure import MISTUNED_CENTS
from notedecay.data.note import Note
from notedecay.data.set_aside import reasons

LISTED = 14
"""Largest number of reasons listed beside a picture."""
GOOD, BAD, OPEN = "#2a6f97", "#c1121f", "#8d99ae"


def overview(notes: Sequence[Note], path: Path) -> None:
    """Draw each instrument's natural decay and tuning over pitch, flagged notes marked.

    Parameters
    ----------
    notes : sequence of Note
        One or more instruments, at least one note.
    path : Path
        The PNG to write.
    """
    instruments = sorted({note.instrument for note in notes})
    figure = Figure(figsize=(13, 5.5 * len(instruments)), layout="constrained")
    rows = figure.subplots(
        2 * len(instruments), 1, squeeze=False, height_ratios=[3, 1.2] * len(instruments)
    )[:, 0]
    for i, instrument in enumerate(instruments):
        own = [note for note in notes if note.instrument == instrument and note.pitch_name != "?"]
        decay, tuning = rows[2 * i], rows[2 * i + 1]
        _draw_decay(decay, own)
        _draw_tuning(tuning, own)
        decay.set_title(_headline(instrument, notes), loc="left", fontweight="bold")
        tuning.sharex(decay)
        _label_octaves(tuning, own)
        decay.tick_params(labelbottom=False)
    FigureCanvasAgg(figure)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=110, format="png")


def _headline(instrument: str, notes: Sequence[Note]) -> str:
    own = [note for note in notes if note.instrument == instrument]
    aside = sum(bool(note.flags) for note in own)
    why = f": {reasons(own)}" if aside else ""
    return f"{instrument}: {len(own)} notes, {aside} set aside{why}"


def _draw_decay(axes: Axes, notes: Sequence[Note]) -> None:
    fell = [note for note in notes if note.t40 is not None]
    ended = [note for note in notes if note.t40 is None]
    good = [note for note in fell if not note.flags]
    bad = [note for note in fell if note.flags]
    _dots(axes, good, [n.t40 or 0.0 for n in good], "o", GOOD, "fit for use")
    _dots(axes, bad, [n.t40 or 0.0 for n in bad], "X", BAD, "set aside")
    _dots(axes, ended, [n.seconds for n in ended], "^", OPEN, "recording ends earlier (its length)")
    _list_reasons(axes, [note for note in notes if note.flags])
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("natural decay t40 (s)\nfrom peak to 40 dB below")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)


def _list_reasons(axes: Axes, flagged: Sequence[Note]) -> None:
    """Number the crosses, and say beside the picture why each note is set aside."""
    lines = []
    for number, note in enumerate(flagged, 1):
        height = note.seconds if note.t40 is None else note.t40
        axes.annotate(
            str(number),
            (note.pitch, height),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=BAD,
        )
        reasons = " and ".join(note.flags)
        lines.append(f"{number}  {note.take} {note.pitch_name}: {reasons}")
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"and {len(lines) - LISTED} more: see 'notedecay notes'"]
    axes.text(1.02, 0.74, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=8)


def _draw_tuning(axes: Axes, notes: Sequence[Note]) -> None:
    tuned = [note for note in notes if note.cents is not None]
    axes.axhspan(-MISTUNED_CENTS, MISTUNED_CENTS, color=GOOD, alpha=0.08)
    axes.axhline(0, color="black", linewidth=0.6)
    for flagged, marker, colour in ((False, "o", GOOD), (True, "X", BAD)):
        some = [note for note in tuned if bool(note.flags) == flagged]
        _dots(axes, some, [note.cents or 0.0 for note in some], marker, colour, None)
    axes.set_ylabel("tuning (cents\nfrom the name)")
    axes.set_xlabel(f"pitch by name (shaded: within {MISTUNED_CENTS:.0f} cents, accepted)")
    axes.grid(alpha=0.3)


def _dots(
    axes: Axes,
    notes: Sequence[Note],
    heights: Sequence[float],
    marker: str,
    colour: str,
    label: str | None,
) -> None:
    if notes:
        xs = [note.pitch for note in notes]
        axes.scatter(xs, heights, s=22, marker=marker, color=colour, label=label, alpha=0.8)


def _label_octaves(axes: Axes, notes: Sequence[Note]) -> None:
    """Name each C, and the lowest and the highest pitch, on the axis."""
    if not notes:
        return
    low, high = min(n.pitch for n in notes), max(n.pitch for n in notes)
    inner = [midi for midi in range(low + 2, high - 1) if midi % 12 == 0]
    ticks = sorted({low, high, *inner})
    axes.set_xticks(ticks, [pitch.name(midi) for midi in ticks])
