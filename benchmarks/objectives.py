"""What each free-running objective buys on the paper's LSTM, beside teacher forcing alone.

Notes are split by pitch as in the pipeline; the test pitches stay untouched. Each objective
is trained with each seed to the last epoch, nothing is selected, and judged free-running on
all training notes (seen) and on the validation notes (unseen). docs/objectives.md shows what
this prints.

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
"""The paper's architecture with a quarter of its units, trained as all nets are here."""

NOISE = {"input_noise": 0.1}
FREE_RUNNING = {"rollout": 0.1, "level_loss": 0.1, "spectrum_loss": 0.1, "decay_loss": 0.1}
OBJECTIVES: Mapping[str, Mapping[str, float]] = {
    "teacher forcing alone": {},
    "input noise": NOISE,
    **{
        f"input noise, {name.replace('_', ' ')}": NOISE | {name: weight}
        for name, weight in FREE_RUNNING.items()
    },
    "all": NOISE | FREE_RUNNING,
    "all but decay loss": NOISE | {**FREE_RUNNING, "decay_loss": 0.0},
}
MEASURES = ("decay_ok", "missing", "envelope_db", "tail_db", "score")


def notes_of(folder: Path, signal: Signal, seconds: float) -> dict[str, list[Clip]]:
    """Training and validation clips of an instrument's folder."""
    highpass_hz = signal.highpass_hz
    notes = catalogue.build(folder.parent, folder.name, highpass_hz=highpass_hz)
    parts = split.split(notes, validation=0.15, test=0.15, seed=2016)
    return {
        part: prepare_clips(
            folder.parent,
            [note for note in notes if note.id in parts[part]],
            rate=signal.rate,
            seconds=seconds,
            highpass_hz=highpass_hz,
        )
        for part in ("train", "validation")
    }


def trained(
    signal: Signal, settings: Mapping[str, Any], clips: list[Clip], seed: int
) -> LearnedContinuator[Any]:
    """Train one net."""
    continuator = create("lstm", signal, {**settings})
    assert isinstance(continuator, LearnedContinuator)
    fit(continuator, clips, seed=seed, device="cpu")
    return continuator


def figures(continuator: Any, panel: EvaluationSet) -> Iterator[float]:
    """Teacher-forced error, then the measures."""
    yield continuator.teacher_forced_error(panel.clips)
    means = mean_scores([judged.scores for judged in panel.judge(continuator)])
    yield from (means[measure] for measure in MEASURES)


def row(name: str, seeds: np.ndarray[Any, np.dtype[np.float64]], seconds: float) -> str:
    """Mean over the seeds, and half of the range of the score."""
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
    panels = {part: EvaluationSet(clips[part], signal.prime_samples) for part in clips}
    print(f"{', '.join(f'{len(c)} {part} notes' for part, c in clips.items())}\n")
    print("| objective | error | " + " | ".join(MEASURES) + " | seconds |")
    print("| --- " * (len(MEASURES) + 3) + "|")
    for name in given.only:
        settings = {**PAPER_SMALL, **OBJECTIVES[name], "epochs": given.epochs}
        began = time.process_time()
        nets = [trained(signal, settings, clips["train"], seed) for seed in given.seeds]
        seconds = (time.process_time() - began) / len(nets)
        for part, panel in panels.items():
            seeds = np.array([list(figures(net, panel)) for net in nets])
            print(row(f"{name}, {part}", seeds, seconds), flush=True)


if __name__ == "__main__":
    main()
