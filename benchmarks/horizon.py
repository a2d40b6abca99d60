"""How much of a decay is heard by when: the measure itself, on less and less of a note.

For each judged partial of the true continuation its T60 is measured as always, but from the
first moments after the prime alone, and made longer or shorter by whatever one factor suits
the instrument best, so that decays which all bend alike are no error. How many sound right
(decay_ok without missing partials) says how much hearing that much longer would tell. It is one way
to tell, which knows neither the prime nor other notes, and no bound. docs/research-log.md shows
what this prints.

    python benchmarks/horizon.py piano=data/piano guitar=data/guitar
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pooling import Instrument

from notedecay.data.note import Clip
from notedecay.metrics import Reference
from notedecay.metrics.decay import decay_times, envelope_floors, partial_envelopes
from notedecay.metrics.scores import INAUDIBLE_RATIOS

Array = NDArray[np.float64]
HORIZONS = (0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Seconds heard after the prime; the first 100 ms are one window of the measure."""
FACTORS = np.geomspace(0.4, 2.5, 61)


def log_ratios(clip: Clip, prime_samples: int) -> Array:
    """T60 as heard so far over the true one, as logarithms, shape (judged partials, horizons)."""
    original = clip.samples[prime_samples:].astype(np.float64)
    reference = Reference(original, clip.rate, float(np.abs(clip.samples).max()))
    judged = reference.judged
    frequency_hz = reference.partials.frequency_hz[judged]
    floors_db = envelope_floors(partial_envelopes(original, clip.rate, frequency_hz))

    def heard(seconds: float) -> Array:
        so_far = original[: round(seconds * clip.rate)]
        return decay_times(partial_envelopes(so_far, clip.rate, frequency_hz), floors_db)

    t60 = np.stack([heard(seconds) for seconds in HORIZONS], axis=1)
    ratios = np.log(t60 / reference.t60[judged, np.newaxis])
    return np.where(np.isfinite(ratios), ratios, np.inf)


def right(ratios: Sequence[Array]) -> Array:
    """Share of right decays by the factor that suits best, means over notes, by horizon."""
    low, high = np.log(INAUDIBLE_RATIOS)
    shifted = [note[..., np.newaxis] + np.log(FACTORS) for note in ratios]
    shares = [((low <= note) & (note <= high)).mean(axis=0) for note in shifted]
    return np.asarray(np.mean(shares, axis=0).max(axis=-1))


def main() -> None:
    """Print a table: instruments by seconds heard after the prime."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instruments", nargs="+", metavar="NAME=FOLDER")
    chosen = dict(one.split("=", 1) for one in parser.parse_args().instruments)
    print("| heard after the prime | " + " | ".join(f"{h:g} s" for h in HORIZONS) + " |")
    print("| --- " * (1 + len(HORIZONS)) + "|")
    for name, folder in chosen.items():
        read = Instrument.read(name, Path(folder))
        ratios = [log_ratios(clip, read.signal.prime_samples) for clip in read.clips]
        shares = " | ".join(f"{share:.2f}" for share in right([r for r in ratios if len(r)]))
        print(f"| {name} ({len(read.clips)} notes) | {shares} |", flush=True)


if __name__ == "__main__":
    main()
