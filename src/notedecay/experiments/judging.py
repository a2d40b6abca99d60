"""How a job's continuations are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from notedecay.audio import highpass
from notedecay.models import Continuator
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation


def judge(
    continuator: Continuator[Any], panel: EvaluationSet, highpass_hz: float | None
) -> tuple[EvaluationSet, list[ScoredContinuation]]:
    """Continue every prime of a panel, and score what came.

    Parameters
    ----------
    continuator : Continuator
        It hears the panel's primes as they are.
    panel : EvaluationSet
        Notes.
    highpass_hz : float or None
        Corner of a rumble filter through which original and continuation are judged (Hz):
        rumble that does not decay would hide what does.

    Returns
    -------
    panel : EvaluationSet
        The one that has judged, filtered if asked.
    judged : list of ScoredContinuation
        One for each note.
    """
    if highpass_hz is None:
        return panel, panel.judge(continuator)
    prime = panel.prime_samples
    filtered = EvaluationSet(
        [replace(c, samples=highpass(c.samples, c.rate, highpass_hz)) for c in panel.clips], prime
    )
    whole = [
        highpass(np.concatenate([c.samples[:prime], made]), c.rate, highpass_hz)
        for c, made in zip(panel.clips, panel.hear(continuator), strict=True)
    ]
    return filtered, filtered.compare([samples[prime:] for samples in whole])
