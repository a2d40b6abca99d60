"""Warnings about a net's training, one line each, from its latest snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from notedecay.training.diagnostics.snapshots import LayerStatistics, Likeness, Snapshot

VANISHED = 1e-6
"""A gradient below this share of the median layer's has vanished."""

MAX_DISAGREEMENT = 0.25
"""Divergence of batch and running statistics: means half a standard deviation apart."""

SETTLING_STEPS = 50
"""Steps after which running statistics of momentum 0.1 hold 0.5 % of their initial values."""

MAX_DEAD = 0.5
"""Largest share of dead units without a warning."""

MAX_LOST_DIFFERENCE = 0.95
"""Share of the notes' own difference that is lost where one sound follows every prime.

Of nets trained on 40 guitar notes, those with frozen statistics lose all of it, healthy ones 0.2
to 0.7 after 300 steps and up to 0.99 in their first 150, when all they can make is a hum."""


def find_warnings(snapshot: Snapshot) -> list[str]:
    """Find faults of a net, one line each; an empty list for a healthy net.

    Parameters
    ----------
    snapshot : Snapshot
        The latest.

    Returns
    -------
    list of str
        Layers without a gradient, normalisations whose running statistics are not those of
        training, layers most of whose units are dead, continuations that do not depend on the
        prime.
    """
    found = [*_without_gradient(snapshot.layers), *_dead(snapshot.layers)]
    if snapshot.steps >= SETTLING_STEPS:
        found += _disagreeing(snapshot.layers)
    return [*found, *prime_ignored(snapshot.likeness)]


def prime_ignored(likeness: Likeness) -> list[str]:
    """Warn, in one line, when continuations do not depend on the prime."""
    # Low notes are alike by themselves: what counts is how much of their difference is lost.
    threshold = MAX_LOST_DIFFERENCE
    if not likeness.true < threshold:
        return []
    if (1.0 - likeness.made) / (1.0 - likeness.true) > 1.0 - threshold:
        return []
    return [
        f"the continuations no longer depend on the prime: those of {likeness.pitches} pitches are "
        f"one sound (likeness {likeness.made:.2f} of 1, the notes themselves {likeness.true:.2f})"
    ]


def _without_gradient(layers: Mapping[str, LayerStatistics]) -> list[str]:
    norms = {name: layer.gradient for name, layer in layers.items() if layer.gradient is not None}
    typical = median(norms.values()) if norms else 0.0
    return [
        f"layer {name} ({layers[name].kind}) receives no gradient and learns nothing: "
        f"norm {norm:.1e}, the median layer's is {typical:.1e}"
        for name, norm in norms.items()
        if norm <= VANISHED * typical
    ]


def _dead(layers: Mapping[str, LayerStatistics]) -> list[str]:
    return [
        f"layer {name} ({layer.kind}): {layer.dead:.0%} of its units are dead, "
        "they give the same for every note and block"
        for name, layer in layers.items()
        if layer.dead is not None and layer.dead > MAX_DEAD
    ]


def _disagreeing(layers: Mapping[str, LayerStatistics]) -> list[str]:
    return [
        f"layer {name} ({layer.kind}) generates with other statistics than it trains with: its "
        f"running mean and variance are not those of the notes (divergence "
        f"{layer.disagreement:.2g}, 0 is right), so what was learned does not hold"
        for name, layer in layers.items()
        if layer.disagreement is not None and layer.disagreement > MAX_DISAGREEMENT
    ]
