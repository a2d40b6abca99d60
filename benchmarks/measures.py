"""How exactly the measures measure, on synthetic notes of known truth under white noise.

Each figure is the 90th percentile of the absolute error over random notes: what nine in ten
stay under. The signal-to-noise ratio is that of the note's loudest sine to the noise of the
whole band at 8400 Hz. docs/measures.md shows what this prints.

    python benchmarks/measures.py [notes per figure, 60 by default]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from notedecay.metrics import (
    decay_times,
    dominant_partials,
    envelope_floors,
    partial_envelopes,
)

Samples = NDArray[np.float64]
Mode = tuple[float, float, float]

RATE, SECONDS = 8400, 5.0
SNRS_DB = (60, 50, 40, 30, 20)


def sound(modes: list[Mode], snr_db: float, random: np.random.Generator) -> Samples:
    """Damped sines of (frequency in Hz, T60 in s, amplitude), random phases, white noise."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    note = random.standard_normal(len(t)) * 10 ** (-snr_db / 20) * np.sqrt(0.5)
    for frequency, t60, amplitude in modes:
        turn = random.uniform(0, 2 * np.pi)
        note += amplitude * 10 ** (-3 * t / t60) * np.sin(2 * np.pi * frequency * t + turn)
    return note


def envelope(note: Samples, frequency_hz: float) -> Samples:
    """Level of one partial (dB)."""
    return partial_envelopes(note, RATE, np.array([frequency_hz]))[0]


def single(random: np.random.Generator) -> Mode:
    """A partial of any pitch that dies away at any speed."""
    return random.uniform(100, 3500), random.uniform(0.5, 6.0), 1.0


def off_by(measured: float, true: float) -> float:
    """Relative error (%)."""
    return 100.0 * abs(measured / true - 1.0)


def pitch(snr_db: float, random: np.random.Generator) -> float:
    """Error of a dominant partial's pitch (cents)."""
    mode = single(random)
    found = dominant_partials(sound([mode], snr_db, random), RATE).frequency_hz[0]
    return abs(1200.0 * np.log2(found / mode[0]))


def t60_line(snr_db: float, random: np.random.Generator) -> float:
    """Error of T60 by the line through the first 30 dB (%)."""
    mode = single(random)
    levels = envelope(sound([mode], snr_db, random), mode[0])[None]
    return off_by(float(decay_times(levels, envelope_floors(levels))[0]), mode[1])


MEASURES: dict[str, Callable[[float, np.random.Generator], float]] = {
    "pitch (cents)": pitch,
    "T60 (%)": t60_line,
}


def figure(errors: NDArray[np.float64]) -> str:
    """The 90th percentile of the errors."""
    # The smallest value that nine in ten reach: no mean with an infinite neighbour.
    error = np.percentile(errors, 90, method="inverted_cdf")
    return "> 100" if error > 100 else "< 0.01" if error < 0.01 else f"{error:.2g}"


def main() -> None:
    """Print the table, in Markdown."""
    notes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(f"| error that 9 of 10 notes stay under, {notes} notes each | clean |", end="")
    print("".join(f" {snr} dB |" for snr in SNRS_DB))
    print("| --- " * (2 + len(SNRS_DB)) + "|")
    for name, measure in MEASURES.items():
        cells = []
        for snr_db in (np.inf, *SNRS_DB):
            random = np.random.default_rng(0)
            cells.append(figure(np.array([measure(snr_db, random) for _ in range(notes)])))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
