"""Pictures of a diagnosis: heat maps of the net's layers over training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from notedecay.plots import save
from notedecay.plots.heat_maps import layer_map, time_maps
from notedecay.training.diagnostics.snapshots import (
    FILE,
    LayerStatistics,
    Snapshot,
    write_snapshots,
)
from notedecay.training.diagnostics.warnings import find_warnings


class _LayerMap(NamedTuple):
    """A heat map of one statistic by layer."""

    statistic: Callable[[LayerStatistics], float | None]
    title: str
    label: str
    logarithmic: bool = True
    limits: tuple[float, float] | None = None


LAYER_MAPS: Mapping[str, _LayerMap] = {
    "gradient": _LayerMap(
        lambda layer: layer.gradient,
        "How much each layer has to learn from: its gradient",
        "norm of the gradient",
    ),
    "weights": _LayerMap(
        lambda layer: layer.weight_std,
        "How large each layer's weights are",
        "standard deviation of the weights",
    ),
    "activations": _LayerMap(
        lambda layer: layer.activation_std,
        "How much each layer's output varies",
        "standard deviation of the output",
    ),
    "dead": _LayerMap(
        lambda layer: layer.dead,
        "Dead units: the same output for every input",
        "share of the layer's units",
        logarithmic=False,
        limits=(0.0, 1.0),
    ),
}
"""Heat maps by layer; the names are those of the files."""


def heat_maps(snapshots: Sequence[Snapshot]) -> dict[str, Figure]:
    """Draw the statistics of each layer over training.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        Of one training, from the first to the last.

    Returns
    -------
    dict of str to Figure
        ``gradient``, ``weights``, ``activations`` and ``dead`` by layer, ``gradient_over_time``
        and ``reach`` by time slice; those without a value are left out, all of them for a model
        without a net.
    """
    if not snapshots or not snapshots[-1].layers:
        return {}
    figures = {}
    for name, drawn in LAYER_MAPS.items():
        if (figure := _by_layer(snapshots, drawn)) is not None:
            figures[name] = figure
    if shown := [name for name, layer in snapshots[-1].layers.items() if layer.over_time]:
        figures["gradient_over_time"] = _over_time(
            snapshots,
            shown,
            lambda snapshot, name: snapshot.layers[name].over_time,
            title="Which part of the note each layer learns from",
            label="norm of the gradient by the layer's output, per block",
        )
    if snapshots[-1].reach:
        figures["reach"] = _over_time(
            snapshots,
            snapshots[-1].reach,
            lambda snapshot, name: snapshot.reach[name],
            title="How far back an error at the note's end (the top) reaches",
            label="norm of the gradient by the layer's input, per block",
        )
    return figures


def write_diagnosis(snapshots: Sequence[Snapshot], folder: Path) -> None:
    """Write heat maps, ``warnings.txt`` and ``snapshots.json`` into an existing folder.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        One or more, of one training.
    folder : Path
        Existing folder.
    """
    for name, figure in heat_maps(snapshots).items():
        save(figure, folder / f"{name}.png")
    lines = find_warnings(snapshots[-1])
    (folder / "warnings.txt").write_text("".join(f"{line}\n" for line in lines))
    write_snapshots(snapshots, folder / FILE)


def _by_layer(snapshots: Sequence[Snapshot], drawn: _LayerMap) -> Figure | None:
    """Draw one statistic by layer; None where no layer has it."""
    layers = snapshots[-1].layers
    names = [name for name, layer in layers.items() if drawn.statistic(layer) is not None]
    if not names:
        return None
    values = [[drawn.statistic(snapshot.layers[n]) for snapshot in snapshots] for n in names]
    return layer_map(
        np.array(values, np.float64),
        [f"{n} ({layers[n].kind})" for n in names],
        [snapshot.epoch for snapshot in snapshots],
        title=drawn.title,
        label=drawn.label,
        logarithmic=drawn.logarithmic,
        limits=drawn.limits,
    )


def _over_time(
    snapshots: Sequence[Snapshot],
    names: Iterable[str],
    value: Callable[[Snapshot, str], Sequence[float]],
    *,
    title: str,
    label: str,
) -> Figure:
    """Draw a value by time slice, in a panel for each layer."""
    grids: Mapping[str, NDArray[np.float64]] = {
        f"{name} ({snapshots[-1].layers[name].kind})": np.array(
            [value(snapshot, name) for snapshot in snapshots]
        ).T
        for name in names
    }
    epochs = [snapshot.epoch for snapshot in snapshots]
    return time_maps(grids, epochs, title=title, label=label)
