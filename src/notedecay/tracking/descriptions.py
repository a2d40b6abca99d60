"""Descriptions of experiments and runs that the UI of MLflow shows."""

from __future__ import annotations

import inspect

from notedecay.models import MODELS

SCORES = (
    "**score**: 0 to 1, a product of credits for decay, pitch, envelope and noise. "
    "**decay_ok**: share of partials that decay 0.75 to 1.40 times as long as the true ones: a "
    "listener hears no difference. Both are means over notes: *seen* in training, "
    "*validation* (the search chose by them), *test* (used only in the end)."
)
RUNS = {
    "study": "A search, shown above its trials. The best on validation notes is trained in full.",
    "trial": "A trial of a search: one choice of settings, evaluated on validation notes.",
    "train": "The best settings of the search, trained in full. The selected epoch is the one that "
    "continues validation notes best.",
    "baseline": "A baseline: it continues a note from the prime alone, without training.",
    "oracle": "Damped sines fitted to the true continuation (ESPRIT): a yardstick, no candidate.",
    "crossval": "The final table, cross-validated by pitch: each note is unseen once. Below are "
    "the rows of the table and the trials that they are made of; docs/evaluation/ holds the page.",
    "ablation": "What each component of the best model contributes, on train and validation notes. "
    "Below are the rows of the table and the trials that they are made of.",
    "pooling": "One model for several instruments, or one for each, on train and validation notes. "
    "Below are the rows of the table and the trials that they are made of.",
    "row": "A row of a table: a system under a condition, means over unseen notes.",
    "fold": "A trial of a study: trained on some pitches, evaluated on others.",
    "paper": "An experiment of the paper; docs/paper.md shows its results.",
}
"""By kind."""


def of_instrument(instrument: str) -> str:
    """Describe the experiment of an instrument."""
    return (
        f"Continuation of notes ({instrument}) from their primes: searches with their trials, "
        f"trainings, baselines, and an oracle.\n\n{SCORES}"
    )


def of_run(kind: str, model: str | None) -> str:
    """Describe a run and its model.

    Parameters
    ----------
    kind : str
        A key of :data:`RUNS`.
    model : str or None
        Its name; one that is not in ``MODELS``, such as the oracle, is not described.
    """
    system = MODELS.get(model) if model else None
    if system is None:
        return RUNS[kind]
    summary = (inspect.getdoc(system) or "").partition("\n\n")[0]
    return f"**{model}**: {' '.join(summary.split())}\n\n{RUNS[kind]}"
