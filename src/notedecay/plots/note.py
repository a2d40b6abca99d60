"""Picture of one note: spectrograms of original and continuation, and their decays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from notedecay.core.files import replacing
from notedecay.metrics.decay import (
    STEP_SECONDS,
    WINDOW_SECONDS,
    decay_times,
    envelope_floors,
    is_judged,
    partial_envelopes,
)
from notedecay.metrics.noise import ENVELOPE_SECONDS, envelope_db
from notedecay.metrics.partials import dominant_partials
from notedecay.metrics.spectra import Array, decibels, power_spectra

# Colours of Okabe and Ito, which colour-blind readers distinguish; yellow is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

DPI = 100
SHOWN_DB = 80.0
SHOWN_PARTIALS = 5
CLEAR_RANGE_DB = 30.0
SPECTROGRAM_SECONDS = 0.064
SPECTROGRAM_COLUMNS = 300

Signal = NDArray[np.floating]


def save(figure: Figure, path: Path) -> None:
    """Write a picture, atomically.

    Parameters
    ----------
    figure : Figure
        From one of the functions of this package.
    path : Path
        Ends in ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    UserError
        The file cannot be written there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Figure(figsize=(12, 9)), Path(folder) / "note.png")
    ...     data = (Path(folder) / "note.png").read_bytes()
    >>> data[1:4], int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    (b'PNG', 1200, 900)
    """
    with replacing(path) as partial:
        figure.savefig(partial, format=path.suffix.lstrip("."), dpi=DPI)


def triple(
    original: Signal,
    with_prime: Signal,
    without_prime: Signal,
    rate: int,
    prime_seconds: float,
    title: str,
) -> Figure:
    """Plot spectrograms of three signals, and below them the decay of the whole and of partials.

    Parameters
    ----------
    original, with_prime : ndarray of float, shape (samples,), (samples',)
        The note and the generated one, both from the onset on; lengths may differ.
    without_prime : ndarray of float, shape (samples'',)
        The generated part alone.
    rate : int
        Hz.
    prime_seconds : float
        Where the prime ends (s).
    title : str
        Names the note and the model.

    Returns
    -------
    Figure
        1200 x 900 pixels.
    """
    peak = max(float(np.abs(original).max(initial=0.0)), 1e-9)
    signals = [np.asarray(x, np.float64) / peak for x in (original, with_prime, without_prime)]
    figure = Figure(figsize=(12, 9), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=15)
    grid = figure.add_gridspec(2, 12, height_ratios=(1.0, 1.1))
    spectrograms = [figure.add_subplot(grid[0, 4 * k : 4 * k + 4]) for k in range(3)]
    curves = [figure.add_subplot(grid[1, :5]), figure.add_subplot(grid[1, 5:])]
    image = _spectrograms(spectrograms, signals, rate, prime_seconds)
    label = "level (dB re original's peak)"
    figure.colorbar(image, ax=spectrograms, label=label, pad=0.03, aspect=30)
    _broadband_curves(curves[0], signals[0], signals[1], rate)
    _partial_curves(curves[1], signals[0], signals[1], rate, prime_seconds)
    for axes in spectrograms + curves:
        axes.set_xlim(0.0, max(len(original), len(with_prime)) / rate)
        axes.set_xlabel("time since the onset (s)")
        colour = "white" if axes in spectrograms else "black"
        axes.axvline(prime_seconds, color=colour, linestyle=":", linewidth=1.5)
    curves[0].set_ylabel(label)
    return figure


def _spectrograms(
    panels: list[Axes], signals: list[Array], rate: int, prime_seconds: float
) -> QuadMesh:
    """Spectrograms on one colour scale; the third begins where the prime ends."""
    names = ("original", "generated, after its prime", "generated part alone")
    for axes, samples, name, start in zip(
        panels, signals, names, (0.0, 0.0, prime_seconds), strict=True
    ):
        image = _spectrogram(axes, samples, rate, start)
        axes.set_title(name, fontsize=12)
        axes.set_ylim(0.0, rate / 2)
        axes.set_facecolor("0.8")
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    panels[0].set_ylabel("frequency (Hz)")
    at_prime = (prime_seconds, 0.96)
    panels[0].annotate(
        " prime ends", at_prime, xycoords=("data", "axes fraction"), color="white", va="top"
    )
    return image


def _spectrogram(axes: Axes, samples: Array, rate: int, start: float) -> QuadMesh:
    """One spectrogram, its first sample at ``start`` (s)."""
    from librosa.display import specshow  # half a second of CPU, which only a picture needs

    length = round(SPECTROGRAM_SECONDS * rate)
    hop = max(1, len(samples) // SPECTROGRAM_COLUMNS)
    # Half a frame of silence at both ends centres each frame on its moment.
    levels = decibels(power_spectra(np.pad(samples, length // 2), length, hop, padded=2)).T
    times = start + hop / rate * np.arange(levels.shape[1])
    hz = rate / 2 * np.linspace(0.0, 1.0, levels.shape[0])
    image: QuadMesh = specshow(
        levels,
        x_coords=times,
        y_coords=hz,
        x_axis="s",
        y_axis="hz",
        ax=axes,
        cmap="magma",
        vmin=-SHOWN_DB,
        vmax=0.0,
        rasterized=True,
    )
    axes.set(xlabel=None, ylabel=None)
    return image


def _broadband_curves(axes: Axes, original: Array, generated: Array, rate: int) -> None:
    """Level of each 20 ms, original and generated."""
    for samples, name, style, colour in (
        (original, "original", "-", "black"),
        (generated, "generated", "--", "0.45"),
    ):
        levels = envelope_db(samples, rate)
        times = (np.arange(len(levels)) + 0.5) * ENVELOPE_SECONDS
        axes.plot(times, levels, style, color=colour, label=name, linewidth=1.5)
    axes.set_title("how the whole sound dies away", fontsize=12)
    axes.set_ylim(-SHOWN_DB, 3.0)
    axes.grid(alpha=0.3)
    axes.legend(loc="best")


def _partial_curves(
    axes: Axes, original: Array, generated: Array, rate: int, prime_seconds: float
) -> None:
    """Level of the strongest partials, original solid and generated dashed."""
    strongest = _decaying_partials(original[round(prime_seconds * rate) :], rate)
    for samples, style in ((original, "-"), (generated, "--")):
        levels = partial_envelopes(samples, rate, strongest)
        times = WINDOW_SECONDS / 2 + STEP_SECONDS * np.arange(levels.shape[1])
        for level, colour in zip(levels, COLOURS, strict=False):
            axes.plot(times, level, style, color=colour, linewidth=1.4)
    lines = [
        Line2D([], [], color=colour, label=f"{frequency:.0f} Hz")
        for frequency, colour in sorted(zip(strongest, COLOURS, strict=False))
    ]
    styles = [
        Line2D([], [], color="black", linestyle="-", label="original"),
        Line2D([], [], color="black", linestyle="--", label="generated"),
    ]
    axes.set_title("how its strongest partials die away, each by itself", fontsize=12)
    axes.set_ylim(-SHOWN_DB, 3.0)
    axes.grid(alpha=0.3)
    # It stands under the colour bar, where there is room.
    legend = axes.legend(
        handles=styles + lines,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=9,
        handlelength=1.6,
        frameon=False,
    )
    legend.set_in_layout(False)


def _decaying_partials(continuation: Array, rate: int) -> Array:
    """Frequencies of the strongest partials that decay (Hz), of the strongest if none does."""
    partials = dominant_partials(continuation, rate)
    levels = partial_envelopes(continuation, rate, partials.frequency_hz)
    decays = is_judged(decay_times(levels, envelope_floors(levels)))
    # A weaker partial soon drowns in noise and would only tangle the picture.
    clear = partials.level_db >= partials.level_db.max(initial=-np.inf) - CLEAR_RANGE_DB
    shown = clear & decays if (clear & decays).any() else clear
    return np.asarray(partials.frequency_hz[shown][:SHOWN_PARTIALS])
