"""A diagnosis as pictures: heat maps over training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from notedecay.plots import save
from notedecay.plots.heat_maps import layer_map, time_maps
from notedecay.training.diagnostics import snapshots as files
from notedecay.training.diagnostics.snapshots import LayerLook, Look
from notedecay.training.diagnostics.warnings import symptoms


def heat_maps(looks: Sequence[Look]) -> dict[str, Figure]:
    """Draw what was seen of each layer over training.

    Parameters
    ----------
    looks : sequence of Look
        Of one training, from the first to the last.

    Returns
    -------
    dict of str to Figure
        ``gradient``, ``weights``, ``activations`` and ``dead`` by layer, ``gradient_over_time``
        and ``reach`` by time slice; those without anything to show are left out, all of them for
        a continuator without a net.
    """
    if not looks or not looks[-1].layers:
        return {}
    drawn = {
        "gradient": _by_layer(
            looks,
            lambda layer: layer.gradient,
            title="How much each layer has to learn from: its gradient",
            label="norm of the gradient",
            logarithmic=True,
        ),
        "weights": _by_layer(
            looks,
            lambda layer: layer.weight_std,
            title="How large each layer's weights are",
            label="standard deviation of the weights",
            logarithmic=True,
        ),
        "activations": _by_layer(
            looks,
            lambda layer: layer.activation_std,
            title="How much each layer says: the spread of its output",
            label="standard deviation of the output",
            logarithmic=True,
        ),
        "dead": _by_layer(
            looks,
            lambda layer: layer.dead,
            title="Dead units: the same output whatever is heard",
            label="share of the layer's units",
            limits=(0.0, 1.0),
        ),
    }
    figures = {name: figure for name, figure in drawn.items() if figure is not None}
    over_time = {name: layer.over_time for name, layer in looks[-1].layers.items()}
    if shown := [name for name, slices in over_time.items() if slices]:
        figures["gradient_over_time"] = _over_time(
            looks,
            shown,
            lambda look, name: look.layers[name].over_time,
            title="Which part of the note each layer learns from",
            label="norm of the gradient by the layer's output, per block",
        )
    if looks[-1].reach:
        figures["reach"] = _over_time(
            looks,
            looks[-1].reach,
            lambda look, name: look.reach[name],
            title="How far back an error at the note's end (the top) reaches",
            label="norm of the gradient by the layer's input, per block",
        )
    return figures


def write_diagnosis(looks: Sequence[Look], folder: Path) -> None:
    """Write heat maps, ``warnings.txt`` and ``looks.json`` into an existing folder.

    Parameters
    ----------
    looks : sequence of Look
        One or more, of one training.
    folder : Path
        Where to.
    """
    for name, figure in heat_maps(looks).items():
        save(figure, folder / f"{name}.png")
    (folder / "warnings.txt").write_text("".join(f"{line}\n" for line in symptoms(looks[-1])))
    files.write(looks, folder / "looks.json")


def _by_layer(
    looks: Sequence[Look],
    value: Callable[[LayerLook], float | None],
    *,
    title: str,
    label: str,
    logarithmic: bool = False,
    limits: tuple[float, float] | None = None,
) -> Figure | None:
    names = [n for n, layer in looks[-1].layers.items() if value(layer) is not None]
    if not names:
        return None
    grid = np.array([[value(look.layers[n]) for look in looks] for n in names], np.float64)
    return layer_map(
        grid,
        [f"{n} ({looks[-1].layers[n].kind})" for n in names],
        [look.epoch for look in looks],
        title=title,
        label=label,
        logarithmic=logarithmic,
        limits=limits,
    )


def _over_time(
    looks: Sequence[Look],
    names: Iterable[str],
    value: Callable[[Look, str], Sequence[float]],
    *,
    title: str,
    label: str,
) -> Figure:
    grids: Mapping[str, NDArray[np.float64]] = {
        f"{name} ({looks[-1].layers[name].kind})": np.array([value(look, name) for look in looks]).T
        for name in names
    }
    return time_maps(grids, [look.epoch for look in looks], title=title, label=label)
