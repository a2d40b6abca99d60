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
    beating,
    decay_times,
    dominant_partials,
    envelope_floors,
    fit_exponential,
    fit_stages,
    partial_envelopes,
    schroeder_t60,
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


def single(random: np.random.Generator, *, longest: float = 6.0) -> Mode:
    """A partial of any pitch that dies away at any speed."""
    return random.uniform(100, 3500), random.uniform(0.5, longest), 1.0


def off_by(measured: float, true: float) -> float:
    """Relative error (%)."""
    return 100.0 * abs(measured / true - 1.0)


def pitch(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of a dominant partial's pitch (cents)."""
    mode = single(random)
    found = dominant_partials(sound([mode], snr_db, random), RATE).frequency_hz[0]
    return [abs(1200.0 * np.log2(found / mode[0]))]


def t60_line(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of T60 by the line through the first 30 dB (%)."""
    mode = single(random)
    levels = envelope(sound([mode], snr_db, random), mode[0])[None]
    return [off_by(float(decay_times(levels, envelope_floors(levels))[0]), mode[1])]


def t60_stages(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of T60 by one stage over noise (%), and false second stages and beats (% of notes)."""
    mode = single(random)
    levels = envelope(sound([mode], snr_db, random), mode[0])
    stages = fit_stages(levels)
    if stages is None:
        return [np.inf, 0.0, 0.0]
    beats = beating(levels, stages) is not None
    return [off_by(stages.first_t60, mode[1]), 100.0 * stages.two, 100.0 * beats]


def exponential(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of T60 by the exponential through the whole envelope (%)."""
    mode = single(random)
    fit = fit_exponential(sound([mode], snr_db, random), RATE)
    return [np.inf if fit is None else off_by(fit.t60, mode[1])]


def schroeder(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of Schroeder's T60 (%) where the note has died away before the end."""
    mode = single(random, longest=2.5)
    return [off_by(schroeder_t60(sound([mode], snr_db, random), RATE), mode[1])]


def two_stages(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of both T60 (%) and of the level between them (dB), and share found (%)."""
    frequency, level_db = random.uniform(100, 3500), random.uniform(-20, -10)
    first, second = random.uniform(0.6, 1.5), random.uniform(4.0, 8.0)
    modes = [(frequency, first, 1.0), (frequency, second, 10 ** (level_db / 20))]
    stages = fit_stages(envelope(sound(modes, snr_db, random), frequency))
    if stages is None or stages.second_t60 is None or stages.second_db is None:
        return [np.nan, np.nan, np.nan, 0.0]
    # The first value lies 50 ms into the note.
    level_then = level_db + 60.0 * 0.05 * (1.0 / first - 1.0 / second)
    return [
        off_by(stages.first_t60, first),
        off_by(stages.second_t60, second),
        abs(stages.second_db - level_then),
        100.0,
    ]


def beats(snr_db: float, random: np.random.Generator) -> list[float]:
    """Error of rate (%) and depth (dB) of a beating pair, and share found (%)."""
    (frequency, t60, _), spacing = single(random), random.uniform(1.0, 5.0)
    ratio = random.uniform(0.2, 0.8)
    note = sound([(frequency, t60, 1.0), (frequency + spacing, t60, ratio)], snr_db, random)
    # A spectral peak of 200 ms lies between the two, nearer to the stronger.
    found = beating(envelope(note, frequency + spacing * ratio / (1.0 + ratio)))
    if found is None:
        return [np.nan, np.nan, 0.0]
    depth_db = 20.0 * np.log10((1.0 + ratio) / (1.0 - ratio))
    return [off_by(found.rate_hz, spacing), abs(found.depth_db - depth_db), 100.0]


MEASURES: list[tuple[Callable[[float, np.random.Generator], list[float]], list[str]]] = [
    (pitch, ["pitch (cents)"]),
    (t60_line, ["T60, line (%)"]),
    (t60_stages, ["T60, one stage (%)", "false second stages (share)", "false beats (share)"]),
    (exponential, ["T60, exponential (%)"]),
    (schroeder, ["T60, Schroeder (%)"]),
    (
        two_stages,
        ["first T60 of two (%)", "second T60 (%)", "second level (dB)", "two found (share)"],
    ),
    (beats, ["beating rate (%)", "beating depth (dB)", "beating found (share)"]),
]


def figure(values: NDArray[np.float64], name: str) -> str:
    """The 90th percentile of the errors, or the mean of shares; - where none was found."""
    if name.endswith("(share)"):
        return f"{values.mean():.0f} %"
    known = values[~np.isnan(values)]
    if not known.size:
        return "-"
    # The smallest value that nine in ten reach: no mean with an infinite neighbour.
    error = np.percentile(known, 90, method="inverted_cdf")
    return "> 100" if error > 100 else "< 0.01" if error < 0.01 else f"{error:.2g}"


def main() -> None:
    """Print the table, in Markdown."""
    notes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(f"| error that 9 of 10 notes stay under, {notes} notes each | clean |", end="")
    print("".join(f" {snr} dB |" for snr in SNRS_DB))
    print("| --- " * (2 + len(SNRS_DB)) + "|")
    for measure, names in MEASURES:
        columns = []
        for snr_db in (np.inf, *SNRS_DB):
            random = np.random.default_rng(0)
            columns.append(np.array([measure(snr_db, random) for _ in range(notes)]).T)
        for k, name in enumerate(names):
            cells = [figure(column[k], name) for column in columns]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
