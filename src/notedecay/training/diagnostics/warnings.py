"""What is wrong with a net, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from notedecay.training.diagnostics.snapshots import LayerLook, Likeness, Look

VANISHED = 1e-6
"""A gradient under this share of the median layer's is none."""

DISAGREEING = 0.25
"""Divergence of batch and running statistics: means half a standard deviation apart."""

SETTLING_STEPS = 50
"""Steps in which running statistics of momentum 0.1 forget where they began (0.9^50 = 0.5 %)."""

MOSTLY = 0.5
"""Share of dead units that is too large."""

ALIKE = 0.95
"""Share of the notes' own difference that is lost where one sound follows every prime.

Of nets trained on 40 guitar notes, those with frozen statistics lose all of it, healthy ones 0.2
to 0.7 after 300 steps and up to 0.99 in their first 150, when all they can make is a hum."""


def symptoms(look: Look) -> list[str]:
    """Say what is wrong, one line each; nothing for a healthy net.

    Parameters
    ----------
    look : Look
        The latest.

    Returns
    -------
    list of str
        Layers without a gradient, normalisations that predict with other statistics than they
        train with, layers most of whose units are dead, continuations that no longer depend on
        the prime.
    """
    found = [*_without_gradient(look.layers), *_dead(look.layers)]
    if look.steps >= SETTLING_STEPS:
        found += _disagreeing(look.layers)
    return [*found, *deaf(look.likeness)]


def deaf(likeness: Likeness) -> list[str]:
    """Say so, in one line, when continuations no longer depend on the prime."""
    # Low notes are alike by themselves: what counts is how much of their difference is lost.
    if not likeness.true < ALIKE or (1.0 - likeness.made) / (1.0 - likeness.true) > 1.0 - ALIKE:
        return []
    return [
        f"the continuations no longer depend on the prime: those of {likeness.pitches} pitches are "
        f"one sound (likeness {likeness.made:.2f} of 1, the notes themselves {likeness.true:.2f})"
    ]


def _without_gradient(layers: Mapping[str, LayerLook]) -> list[str]:
    norms = {name: look.gradient for name, look in layers.items() if look.gradient is not None}
    typical = median(norms.values()) if norms else 0.0
    return [
        f"layer {name} ({layers[name].kind}) receives no gradient and learns nothing: "
        f"norm {norm:.1e}, the median layer's is {typical:.1e}"
        for name, norm in norms.items()
        if norm <= VANISHED * typical
    ]


def _dead(layers: Mapping[str, LayerLook]) -> list[str]:
    return [
        f"layer {name} ({look.kind}): {look.dead:.0%} of its units are dead, "
        "they give the same for every note and block"
        for name, look in layers.items()
        if look.dead is not None and look.dead > MOSTLY
    ]


def _disagreeing(layers: Mapping[str, LayerLook]) -> list[str]:
    return [
        f"layer {name} ({look.kind}) generates with other statistics than it trains with: its "
        f"running mean and variance are not those of the notes (divergence "
        f"{look.disagreement:.2g}, 0 is right), so what was learned does not hold"
        for name, look in layers.items()
        if look.disagreement is not None and look.disagreement > DISAGREEING
    ]
