"""Speed and memory of generation: one note by each model on one core.

Seconds of sound for each second of CPU, over the length of the continuation, and the memory that
the longest needs beyond the shortest, in the same process; the sound itself is a part of it. Nets
have 512 units and 60 blocks a second; their weights are random, which costs the same. The modal
model is trained for one epoch on synthetic notes.

    python benchmarks/generation.py                   # every model at 8.4 and 44.1 kHz
    python benchmarks/generation.py --models lstm modal --rates 44100
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch

from notedecay.audio.samples import Samples
from notedecay.data.note import Clip
from notedecay.models import MODELS, Continuator, LearnedContinuator, Signal, create
from notedecay.training import fit

SECONDS = (0.5, 1, 2, 5, 10, 60)
RATES = (8400, 44_100)
BLOCKS: dict[str, Any] = {"units": 512, "resolution": 60}
SETTINGS: dict[str, dict[str, Any]] = {
    "lstm": BLOCKS,
    "gru": BLOCKS,
    "cnn_lstm": BLOCKS,
    "vrnn": BLOCKS,
    "lru": BLOCKS,
    "modal": {"epochs": 1, "augmentations": 0},
}
NOTES = 8
"""Training notes of the modal model: as many as its noise floor needs."""
REPEATS, LONG_SECONDS = 3, 10
"""The fastest of so many runs counts; longer ones run once."""


def struck_string(rate: int, seconds: float, seed: int) -> Samples:
    """A note of 40 slightly inharmonic partials and noise, as no other seed gives it."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch_hz = rng.uniform(60, 1000)
    note = 1e-4 * rng.standard_normal(len(t))
    for k in range(1, 41):
        frequency_hz = k * pitch_hz * (1 + 3e-4 * k * k) ** 0.5
        level, t60, phase = rng.uniform(0.3, 1) / k, rng.uniform(2, 8) / k**0.5, rng.uniform(0, 6)
        if frequency_hz < 0.45 * rate:
            note += level * np.sin(2 * np.pi * frequency_hz * t + phase) * 10 ** (-3 * t / t60)
    return (0.5 * note / np.abs(note).max()).astype(np.float32)


def make(name: str, rate: int) -> Continuator[Any]:
    """A model that can generate."""
    torch.manual_seed(0)
    model = create(name, Signal(instrument="benchmark", rate=rate), SETTINGS.get(name, {}))
    if name == "modal":
        notes = (struck_string(rate, 1.5, 1000 + i) for i in range(NOTES))
        clips = [Clip(f"benchmark/{i}", 40 + i, note, rate) for i, note in enumerate(notes)]
        fit(model, clips, seed=0, device="cpu")
    elif isinstance(model, LearnedContinuator):
        model.net.init_weights(torch.Generator().manual_seed(0), 1.0)  # type: ignore[operator]
    return model


def cpu_seconds(model: Continuator[Any], seconds: float, primes: list[Samples]) -> float:
    """CPU seconds of the fastest run, each on a prime that the model has not seen yet."""
    times = []
    for _ in range(REPEATS if seconds <= LONG_SECONDS else 1):
        prime, began = primes.pop(), time.process_time()
        model.continue_prime(prime, round(seconds * model.signal.rate))
        times.append(time.process_time() - began)
    return min(times)


def peak_mib() -> float:
    """Peak of this process's memory so far (MiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, rate: int) -> None:
    """Print the row of one model; run in a process of its own, for the peak of its memory."""
    model = make(name, rate)
    count = 1 + REPEATS * len(SECONDS)
    primes = [struck_string(rate, 0.4, i)[: model.signal.prime_samples] for i in range(count)]
    cpu_seconds(model, SECONDS[0], primes)
    before = peak_mib()
    factors = {s: s / max(cpu_seconds(model, s, primes), 1e-6) for s in reversed(SECONDS)}
    more = peak_mib() - before
    row = [f"{factors[s]:.0f}" if factors[s] < 1000 else "> 1000" for s in SECONDS]
    print(f"| {name}, {rate / 1000:g} kHz | " + " | ".join(row) + f" | {more:.0f} |", flush=True)


def main() -> None:
    """Print a table: models by length of the continuation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rates", nargs="+", type=int, default=RATES)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.one:
        measure(chosen.models[0], chosen.rates[0])
        return
    longest = f"MiB for {SECONDS[-1]} s"
    print("| x real time | " + " | ".join(f"{s:g} s" for s in SECONDS) + f" | {longest} |")
    print("| --- " * (2 + len(SECONDS)) + "|", flush=True)
    for rate in chosen.rates:
        for name in chosen.models:
            one = [sys.executable, __file__, "--one", "--models", name, "--rates", str(rate)]
            subprocess.run(one, check=True)


if __name__ == "__main__":
    main()
