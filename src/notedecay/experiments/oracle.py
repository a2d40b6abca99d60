"""The oracle: ESPRIT fitted to the true continuation, as a yardstick that no model can use.

Its score is the best of stationary damped sinusoids. A model of beats and aftersound may score
higher.
"""

from __future__ import annotations

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.models.baselines.esprit import fit_damped, synthesise
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation

ORACLE = "oracle"
ORACLE_ORDER = 48
"""Number of damped sinusoids of the oracle, that of ESPRIT."""


def evaluate_oracle(notes: EvaluationSet) -> list[ScoredContinuation]:
    """Scores of damped sinusoids that are fitted to each original after its prime."""
    return notes.score([_fitted(original) for original in notes.originals()])


def _fitted(original: Samples) -> Samples:
    poles, amplitudes = fit_damped(original, ORACLE_ORDER)
    return synthesise(poles, amplitudes, len(original)).astype(np.float32)
