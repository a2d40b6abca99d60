"""The oracle: ESPRIT fitted to the true continuation, as a yardstick that no model can use.

It shows what stationary damped sinusoids reach at best. A model that follows beats and aftersound
may pass it.
"""

from __future__ import annotations

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.models.baselines.esprit import fit_damped, synthesise
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation

ORACLE = "oracle"
ORACLE_ORDER = 48
"""Damped sinusoids of the oracle, as many as ESPRIT has."""


def evaluate_oracle(notes: EvaluationSet) -> list[ScoredContinuation]:
    """Score on each note the damped sinusoids that fit its original after the prime best."""
    return notes.score([_fitted(original) for original in notes.originals()])


def _fitted(original: Samples) -> Samples:
    poles, amplitudes = fit_damped(original, ORACLE_ORDER)
    return synthesise(poles, amplitudes, len(original)).astype(np.float32)
