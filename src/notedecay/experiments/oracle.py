"""Stationary damped sines at their best: ESPRIT fitted to the true waveform, as a yardstick."""

from __future__ import annotations

import numpy as np

from notedecay.audio.samples import Samples
from notedecay.models.baselines.esprit import fit_damped, synthesise
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation

ORACLE = "oracle"
ORACLE_ORDER = 48
"""Damped sinusoids of the oracle, as many as ESPRIT has."""


def judge_oracle(panel: EvaluationSet) -> list[ScoredContinuation]:
    """Score on each note what ESPRIT makes of the original after the prime."""
    return panel.compare([_oracle(original) for original in panel.originals()])


def _oracle(original: Samples) -> Samples:
    poles, amplitudes = fit_damped(original, ORACLE_ORDER)
    return synthesise(poles, amplitudes, len(original)).astype(np.float32)
