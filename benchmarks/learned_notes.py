"""How the modal model scales with the number of its training notes.

A continuation compares its note with every learned one: milliseconds and memory of that, and
seconds to measure once how far the learned notes lie apart. Training targets are measured once
for each note and read again by every later training: milliseconds a note of both. Constant times a
note are the goal, so the last line is the ratio of the largest number of notes to the smallest.

    python benchmarks/learned_notes.py                # 100, 1000 and 10,000 notes
    python benchmarks/learned_notes.py --notes 100 300
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from notedecay.models.modal.features import REFERENCE_COLUMNS
from notedecay.models.modal.novelty import measure_reference, novelty
from notedecay.models.modal.targets import note_targets
from notedecay.models.note_cache import NoteCache

NOTES = (100, 1000, 10_000)
RATE, SECONDS, PRIME = 2000, 0.8, 660
"""Of the notes whose targets are measured: short ones, without augmentation."""
COLUMNS = (
    "notes", "apart, s", "novelty, ms", "more MiB", "targets measured, ms a note", "read, ms a note"
)  # fmt: skip


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def decaying_tone(number: int) -> bytes:
    """A note of one partial, unlike that of any other number."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    noise = 1e-4 * np.random.default_rng(number).standard_normal(len(t))
    tone = np.sin(2 * np.pi * (200 + number % 400) * t) * np.exp(-4 * t) + noise
    return tone.astype(np.float32).tobytes()


def measure(notes: int) -> list[float]:
    """One row of the table; run in a process of its own, for the peak of its memory."""
    features = torch.randn(notes, REFERENCE_COLUMNS, generator=torch.Generator().manual_seed(0))
    one = torch.randn(1, REFERENCE_COLUMNS)
    novelty(one, measure_reference(features[:100]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    apart = cpu_seconds(lambda: measure_reference(features))
    reference = measure_reference(features)
    each = min(cpu_seconds(lambda: novelty(one, reference)) for _ in range(5))
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with tempfile.TemporaryDirectory() as folder:

        def training() -> None:
            cache = NoteCache(Path(folder))
            for number in range(notes):
                note_targets(decaying_tone(number), RATE, PRIME, 0, cache)

        measured, read = (1e3 * cpu_seconds(training) / notes for _ in range(2))
    return [notes, apart, 1e3 * each, more, measured, read]


def main() -> None:
    """Print a table: figures by number of notes, and the last row over the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", nargs="+", type=int, default=NOTES)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.one:
        print(*measure(chosen.notes[0]))
        return
    print("| " + " | ".join(COLUMNS) + " |\n" + "| --- " * len(COLUMNS) + "|", flush=True)
    rows = []
    for notes in chosen.notes:
        one = [sys.executable, __file__, "--one", "--notes", str(notes)]
        done = subprocess.run(one, check=True, capture_output=True, text=True)
        rows.append([float(value) for value in done.stdout.split()])
        print("| " + " | ".join(f"{value:.4g}" for value in rows[-1]) + " |", flush=True)
    ratios = (last / max(first, 1e-9) for first, last in zip(rows[0], rows[-1], strict=True))
    print("| " + " | ".join(f"{ratio:.3g} x" for ratio in ratios) + " |")


if __name__ == "__main__":
    main()
