"""Compare training objectives of the paper's LSTM: with and without input noise.

Notes are split by pitch as in the pipeline; the test pitches are not used. Each objective is
trained with each seed to the last epoch and evaluated free-running on all training notes (seen)
and on the validation notes (unseen). docs/objectives.md shows the table, with objectives that
were removed since.

    python benchmarks/objectives.py data/guitar --epochs 100 --seeds 0 1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips
from notedecay.data.note import Clip
from notedecay.metrics import mean_scores
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.training import fit
from notedecay.training.evaluator import EvaluationSet

PAPER_SMALL = {"units": 128, "layers": 1, "activation": "linear", "resolution": 60, "transpose": 0}
"""The paper's architecture with a quarter of its units and this project's training settings."""

OBJECTIVES: Mapping[str, Mapping[str, float]] = {
    "teacher forcing alone": {},
    "input noise": {"input_noise": 0.1},
}
MEASURES = ("decay_ok", "missing", "envelope_db", "tail_db", "score")


def notes_of(folder: Path, signal: Signal, seconds: float) -> dict[str, list[Clip]]:
    """Read the training and validation clips of an instrument's folder."""
    highpass_hz = signal.highpass_hz
    notes = catalogue.build(folder.parent, folder.name, highpass_hz=highpass_hz)
    parts = split.split(notes, validation=0.15, test=0.15, seed=2016)
    return {
        part: list(
            prepare_clips(
                folder.parent,
                [note for note in notes if note.id in parts[part]],
                rate=signal.rate,
                seconds=seconds,
                highpass_hz=highpass_hz,
            )
        )
        for part in ("train", "validation")
    }


def trained(
    signal: Signal, settings: Mapping[str, Any], clips: list[Clip], seed: int
) -> LearnedContinuator[Any]:
    """Train one model."""
    model = create("lstm", signal, {**settings})
    assert isinstance(model, LearnedContinuator)
    fit(model, clips, seed=seed, device="cpu")
    return model


def figures(model: Any, notes: EvaluationSet) -> Iterator[float]:
    """Measure the teacher-forced error, then the measures of :data:`MEASURES`."""
    yield model.teacher_forced_error(notes.clips)
    means = mean_scores([result.scores for result in notes.evaluate(model)])
    yield from (means[measure] for measure in MEASURES)


def row(name: str, seeds: np.ndarray[Any, np.dtype[np.float64]], seconds: float) -> str:
    """Format the means over the seeds, and half of the range of the score."""
    cells = [f"{value:.3f}" for value in seeds.mean(axis=0)]
    spread = np.ptp(seeds[:, -1]) / 2
    return f"| {name} | " + " | ".join(cells) + f" ± {spread:.3f} | {seconds:.0f} |"


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="recordings of an instrument")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rate", type=int, default=5600, help="Hz")
    parser.add_argument("--only", nargs="+", default=list(OBJECTIVES), choices=OBJECTIVES)
    given = parser.parse_args()
    signal = Signal(instrument=given.folder.name, rate=given.rate, highpass_hz=50.0)
    clips = notes_of(given.folder, signal, seconds=3.0)
    sets = {part: EvaluationSet(clips[part], signal.prime_samples) for part in clips}
    print(f"{', '.join(f'{len(c)} {part} notes' for part, c in clips.items())}\n")
    print("| objective | error | " + " | ".join(MEASURES) + " | seconds |")
    print("| --- " * (len(MEASURES) + 3) + "|")
    for name in given.only:
        settings = {**PAPER_SMALL, **OBJECTIVES[name], "epochs": given.epochs}
        began = time.process_time()
        models = [trained(signal, settings, clips["train"], seed) for seed in given.seeds]
        seconds = (time.process_time() - began) / len(models)
        for part, notes in sets.items():
            seeds = np.array([list(figures(model, notes)) for model in models])
            print(row(f"{name}, {part}", seeds, seconds), flush=True)


if __name__ == "__main__":
    main()
