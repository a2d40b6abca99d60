"""Share of decays that are right if measured on the first part of the true continuation alone.

The T60 of each evaluated partial is measured on the first moments after the prime, and multiplied
by the one factor that suits the instrument best: decays that all bend alike are then no error. The
share of right ones (decay_ok without missing partials) shows how much a longer prime could give.
It is no bound: this measurement uses neither the prime nor other notes. docs/research-log.md shows
what this prints. The instruments must be prepared; their test notes are not used.

    python benchmarks/horizon.py piano guitar
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from notedecay.core.config import load_params
from notedecay.core.project import find_project
from notedecay.data.note import Clip
from notedecay.experiments.dataset import load_dataset
from notedecay.metrics import Reference
from notedecay.metrics.decay import decay_times, envelope_floors, partial_envelopes
from notedecay.metrics.scores import INAUDIBLE_RATIOS

Array = NDArray[np.float64]
HORIZONS = (0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Seconds measured after the prime; the first 100 ms are one window of the measure."""
FACTORS = np.geomspace(0.4, 2.5, 61)


def log_ratios(clip: Clip, prime_samples: int) -> Array:
    """Logarithms of measured over true T60, shape (evaluated partials, horizons)."""
    original = clip.samples[prime_samples:].astype(np.float64)
    reference = Reference(original, clip.rate, float(np.abs(clip.samples).max()))
    judged = reference.judged
    frequency_hz = reference.partials.frequency_hz[judged]
    floors_db = envelope_floors(partial_envelopes(original, clip.rate, frequency_hz))

    def measured(seconds: float) -> Array:
        so_far = original[: round(seconds * clip.rate)]
        return decay_times(partial_envelopes(so_far, clip.rate, frequency_hz), floors_db)

    t60 = np.stack([measured(seconds) for seconds in HORIZONS], axis=1)
    ratios = np.log(t60 / reference.t60[judged, np.newaxis])
    return np.where(np.isfinite(ratios), ratios, np.inf)


def right(ratios: Sequence[Array]) -> Array:
    """Share of right decays by the factor that suits best, means over notes, by horizon."""
    low, high = np.log(INAUDIBLE_RATIOS)
    shifted = [note[..., np.newaxis] + np.log(FACTORS) for note in ratios]
    shares = [((low <= note) & (note <= high)).mean(axis=0) for note in shifted]
    return np.asarray(np.mean(shares, axis=0).max(axis=-1))


def main() -> None:
    """Print a table: instruments by seconds measured after the prime."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instruments", nargs="+")
    chosen = parser.parse_args().instruments
    project = find_project()
    params = load_params(project.params)
    print("| measured after the prime | " + " | ".join(f"{h:g} s" for h in HORIZONS) + " |")
    print("| --- " * (1 + len(HORIZONS)) + "|")
    for name in chosen:
        dataset = load_dataset(project.results(name), name, params).only("train", "validation")
        ratios = [log_ratios(clip, dataset.signal.prime_samples) for clip in dataset.clips]
        shares = " | ".join(f"{share:.2f}" for share in right([r for r in ratios if len(r)]))
        print(f"| {name} ({len(dataset.clips)} notes) | {shares} |", flush=True)


if __name__ == "__main__":
    main()
