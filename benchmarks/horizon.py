"""How soon a decay can be known: by a line through the first moments after the prime.

What a model that hears a prime may reach at all is told by what who hears more can say. For
each judged partial of the true continuation a line through its first moments is taken for its
decay, longer or shorter by whatever one factor suits the instrument best, so that decays
which all bend alike are no error. The share of right ones (decay_ok without missing partials)
stands beside how long was heard. docs/design.md shows what this prints.

    python benchmarks/horizon.py piano=data/piano guitar=data/guitar
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pooling import Instrument

from notedecay.analysis import Reference
from notedecay.analysis.decay import STEP_SECONDS, partial_envelopes
from notedecay.analysis.scores import INAUDIBLE_RATIOS
from notedecay.notes.note import Clip

Array = NDArray[np.float64]
HORIZONS = (0.1, 0.2, 0.35, 0.5, 1.0, 1.5)
"""Seconds heard after the prime."""
FACTORS = np.geomspace(0.4, 2.5, 61)


def log_ratios(clip: Clip, prime_samples: int) -> Array:
    """T60 by the line over the true one, as logarithms, shape (judged partials, horizons)."""
    original = clip.samples[prime_samples:]
    reference = Reference(original, clip.rate, float(np.abs(clip.samples).max()))
    frequency_hz = reference.partials.frequency_hz[reference.judged]
    level_db = partial_envelopes(original.astype(np.float64), clip.rate, frequency_hz)
    fall = np.stack([_fall_db_per_s(level_db[:, : _steps(h)]) for h in HORIZONS], axis=1)
    true = 60 / reference.t60[reference.judged]
    return np.asarray(np.log(true[:, np.newaxis] / np.maximum(fall, 0.1)))


def right(ratios: Sequence[Array]) -> Array:
    """Share of right decays by the factor that suits best, means over notes, by horizon."""
    low, high = np.log(INAUDIBLE_RATIOS)
    shifted = [note[..., np.newaxis] + np.log(FACTORS) for note in ratios]
    shares = [((low <= note) & (note <= high)).mean(axis=0) for note in shifted]
    return np.asarray(np.mean(shares, axis=0).max(axis=-1))


def _steps(seconds: float) -> int:
    return round(seconds / STEP_SECONDS)


def _fall_db_per_s(level_db: Array) -> Array:
    t = STEP_SECONDS * (np.arange(level_db.shape[1]) - (level_db.shape[1] - 1) / 2)
    return np.asarray(-(level_db @ t) / (t @ t))


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
