"""Cost of generation: CPU time per second of sound, one note at a time."""

from __future__ import annotations

import time
from typing import Any

from notedecay.models import Continuator
from notedecay.training.evaluator import EvaluationSet, spread

NOTES = 3
"""Number of notes, spread over the pitches."""

NOT_CACHED = 0.999
"""Factor on the primes: a model may have kept its analysis of the very same samples."""


def generation_cost(model: Continuator[Any], notes: EvaluationSet) -> float:
    """Measure the CPU time of this process per second of generated sound (s/s).

    Parameters
    ----------
    model : Continuator
        Trained, on the CPU.
    notes : EvaluationSet
        Of which some primes are continued to the notes' ends.
    """
    chosen = spread(notes.clips, NOTES)
    prime = notes.prime_samples
    seconds = sum((len(clip.samples) - prime) / clip.rate for clip in chosen)
    began = time.process_time()
    for clip in chosen:
        model.continue_primes([NOT_CACHED * clip.samples[:prime]], [len(clip.samples) - prime])
    return (time.process_time() - began) / seconds
