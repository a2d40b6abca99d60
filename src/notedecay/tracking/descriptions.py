"""What the UI says of an experiment and of a run, in plain words."""

from __future__ import annotations

import inspect

from notedecay.models import MODELS

SCORES = (
    "**score**: 0 to 1, a product of credits for decay, pitch, envelope and noise. "
    "**decay_ok**: share of partials that die away 0.75 to 1.40 times as long as the true ones, "
    "which a listener could not tell apart. Both are means over notes: *seen* in training, "
    "*validation* (they steered the search), *test* (touched in the end only)."
)
RUNS = {
    "study": "A search; its trials lie below. The best on validation notes is trained in full.",
    "trial": "One trial of a search, with settings of its own, evaluated on validation notes.",
    "train": "The best of the search, trained in full and kept where it continued validation "
    "notes best.",
    "baseline": "Does not learn from other notes: what the prime alone allows.",
    "oracle": "Damped sines fitted to the whole true note (ESPRIT): a yardstick, no candidate.",
    "crossval": "The final table, cross-validated by pitch: each note was unseen once. Below are "
    "the rows of the table and the trials that they are made of; docs/evaluation/ holds the page.",
    "ablation": "What each component of the best model contributes, on train and validation notes. "
    "Below are the rows of the table and the trials that they are made of.",
    "pooling": "One model for several instruments, or one for each, on train and validation notes. "
    "Below are the rows of the table and the trials that they are made of.",
    "row": "A row of a table: a system under a condition, means over notes that were unseen.",
    "fold": "A trial of a study: trained on some pitches, evaluated on others.",
    "paper": "An experiment of the paper; its results stand in docs/paper.md.",
}
"""By kind."""


def of_instrument(instrument: str) -> str:
    """Say what the experiment of an instrument holds."""
    return (
        f"Notes ({instrument}), continued from their first moments to their end: searches with "
        f"their trials, trainings, baselines, and an oracle.\n\n{SCORES}"
    )


def of_run(kind: str, model: str | None) -> str:
    """Say what a run is, and what its model does.

    Parameters
    ----------
    kind : str
        A key of :data:`RUNS`.
    model : str or None
        Its name; one that is not in ``MODELS``, such as the oracle, goes without saying.
    """
    system = MODELS.get(model) if model else None
    if system is None:
        return RUNS[kind]
    summary = (inspect.getdoc(system) or "").partition("\n\n")[0]
    return f"**{model}**: {' '.join(summary.split())}\n\n{RUNS[kind]}"
