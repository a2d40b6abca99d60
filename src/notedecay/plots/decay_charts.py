"""One note's decay, read in three ways: by partials, by an exponential, by Schroeder's curve."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from notedecay.metrics.decay import (
    ABOVE_FLOOR_DB,
    FIT_RANGE_DB,
    STEP_SECONDS,
    WINDOW_SECONDS,
    decay_time,
    envelope_floors,
    partial_envelopes,
)
from notedecay.metrics.exponential import SMOOTHING_SECONDS, fit_exponential, hilbert_envelope
from notedecay.metrics.partials import dominant_partials
from notedecay.metrics.schroeder import schroeder_db, schroeder_t60
from notedecay.metrics.spectra import Array, decibels
from notedecay.plots.note import COLOURS, DPI, SHOWN_DB, SHOWN_PARTIALS


def decay_picture(samples: NDArray[np.floating], rate: int, title: str) -> Figure:
    """Draw how a note dies away: its partials, the exponential, and Schroeder's curve.

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        A note from the moment of interest on (the end of the prime), 1 sample or more, finite.
    rate : int
        Hz, 1000 or more.
    title : str
        Says which note.

    Returns
    -------
    Figure
        1400 x 700 pixels: three panels on one scale, left the one to judge by.
    """
    note = np.asarray(samples, np.float64) / max(float(np.abs(samples).max()), 1e-9)
    figure = Figure(figsize=(14, 7), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=15)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    _partials(panels[0], note, rate)
    _exponential(panels[1], note, rate)
    _schroeder(panels[2], note, rate)
    for axes in panels:
        axes.set_xlabel("time (s)", fontsize=12)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=10, frameon=False)
    panels[0].set_xlim(0.0, len(note) / rate)
    panels[0].set_ylim(-SHOWN_DB, 5.0)
    panels[0].set_ylabel("level (dB, each panel on its own reference)", fontsize=12)
    return figure


def _partials(axes: Axes, note: Array, rate: int) -> None:
    """Level of the strongest partials, and the line that gives each its T60."""
    frequency_hz = np.sort(dominant_partials(note, rate).frequency_hz[:SHOWN_PARTIALS])
    envelopes = partial_envelopes(note, rate, frequency_hz)
    times = WINDOW_SECONDS / 2 + STEP_SECONDS * np.arange(envelopes.shape[1], dtype=np.float64)
    floors = envelope_floors(envelopes)
    for hz, level, floor, colour in zip(frequency_hz, envelopes, floors, COLOURS, strict=False):
        t60 = decay_time(level, float(floor))
        axes.plot(times, level, color=colour, linewidth=1.0, alpha=0.6)
        label = f"{hz:.0f} Hz: {_seconds(t60)}"
        axes.plot(*_line(times, level, floor, t60), "--", color=colour, linewidth=2.0, label=label)
    if not frequency_hz.size:
        axes.plot([], [], label="no partials")
    axes.set_title("each partial (thin) and its line (dashed):\nthe T60 to judge by", fontsize=12)


def _line(times: Array, level: Array, floor_db: float, t60: float) -> tuple[Array, Array]:
    """Draw the line of a T60 through the values that it was read from."""
    ended = np.maximum.accumulate(level <= max(level[0] - FIT_RANGE_DB, floor_db + ABOVE_FLOOR_DB))
    if ended[0] or np.isnan(t60):
        return np.zeros(0), np.zeros(0)
    fitted = times[~ended]
    return fitted, level[~ended].mean() - 60.0 / t60 * (fitted - fitted.mean())


def _exponential(axes: Axes, note: Array, rate: int) -> None:
    """The envelope of all partials together, and the paper's curve through it."""
    envelope = hilbert_envelope(note, rate)
    times = SMOOTHING_SECONDS / 2 + STEP_SECONDS * np.arange(len(envelope))
    axes.plot(times, decibels(envelope**2), color="0.5", linewidth=1.0, label="whole sound")
    fit = fit_exponential(note, rate)
    if fit is not None:
        later = times[times >= fit.start_seconds - STEP_SECONDS / 2]
        curve = fit.a * np.exp(-fit.b * (later - fit.start_seconds)) + fit.c
        label = f"a exp(-bt) + c: {_seconds(fit.t60)}, residual {fit.residual:.3f}"
        axes.plot(later, decibels(curve**2), "--", color=COLOURS[1], linewidth=2.0, label=label)
    axes.set_title("exponential through the whole envelope:\none T60 for all partials", fontsize=12)


def _schroeder(axes: Axes, note: Array, rate: int) -> None:
    """Schroeder's curve beside that of a tone that never decays."""
    times = np.arange(len(note)) / rate
    label = f"Schroeder (integrated: hides a steady tone): {_seconds(schroeder_t60(note, rate))}"
    axes.plot(times, schroeder_db(note), color=COLOURS[2], linewidth=2.0, label=label)
    steady = np.ones(len(note))
    label = f"the same of a tone that never decays: {_seconds(schroeder_t60(steady, rate))}"
    axes.plot(times, schroeder_db(steady), ":", color="black", linewidth=1.5, label=label)
    axes.set_title("energy still to come:\nnever judge a decay by this T60", fontsize=12)


def _seconds(t60: float) -> str:
    """T60 in words."""
    return f"T60 {t60:.2f} s" if np.isfinite(t60) else "no decay to measure"
