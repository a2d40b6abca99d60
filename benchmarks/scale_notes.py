"""How time and memory of the stages grow with the number of notes.

Synthetic notes (1.5 s, 8 kHz, 50 pitches, the more notes the more takes of each) are prepared,
listed, read, evaluated and trained on, each in a process of its own. A line gives CPU seconds, the
peak of the process's memory, how much of that is mapped from the file of clips (which the kernel
takes back when it needs the room), and both costs relative to the smallest number of notes: time
should grow as the notes do, memory should not.

    python benchmarks/scale_notes.py 100 1000 10000
    python benchmarks/scale_notes.py 100000 --stages read,batches
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

RATE, SECONDS = 8000, 1.5
PITCHES = range(40, 90)
DIFFERENT = 4
"""Takes of a pitch that differ; further ones are links to these."""


def make(root: Path, notes: int) -> None:
    """Make a project with so many notes."""
    from notedecay.data import pitch
    from notedecay.data.sources import lock

    folder = root / "data" / "synth" / "bells"
    folder.mkdir(parents=True)
    for number in range(notes):
        take, index = divmod(number, len(PITCHES))
        name = pitch.name(PITCHES[index])
        path = folder / f"{name}_v{take + 1:04}.wav"
        if take < DIFFERENT:
            soundfile.write(path, note(PITCHES[index], take), RATE, subtype="PCM_16")
        else:
            os.link(folder / f"{name}_v{take % DIFFERENT + 1:04}.wav", path)
    (root / "data.dvc").write_text("outs:\n- path: data\n")
    lock.accept(root, lambda: None)
    params = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
    params["instruments"] = {"synth": {"prepare": {"rate": RATE, "seconds": SECONDS}}}
    (root / "params.yaml").write_text(yaml.safe_dump(params))


def note(midi: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Partials of a stiff string that die away, and a little noise."""
    generator = np.random.default_rng([midi, seed])
    t = np.arange(round(SECONDS * RATE)) / RATE
    samples = 1e-4 * generator.standard_normal(len(t))
    f0 = 440 * 2 ** ((midi - 69) / 12)
    for rank in range(1, 25):
        hz = rank * f0 * (1 + 1e-4 * rank**2) ** 0.5
        if hz < 0.45 * RATE:
            level = generator.uniform(0.3, 1) / rank
            decay = 10 ** (-3 * t / generator.uniform(1, 4))
            samples += level * decay * np.sin(2 * np.pi * hz * t + generator.uniform(0, 6))
    return np.asarray(0.5 * samples / abs(samples).max())


def prepare(root: Path) -> Callable[[], object]:
    """The stage ``prepare``."""
    from notedecay.core.config import load_params
    from notedecay.core.project import Project
    from notedecay.pipeline.prepare import prepare

    params = load_params(root / "params.yaml")
    return lambda: prepare(Project(root), params, "synth", lambda *_: None)


def listed(root: Path) -> Callable[[], object]:
    """The report ``notedecay notes``."""
    from rich.console import Console

    from notedecay.core.config import load_params
    from notedecay.core.project import Project
    from notedecay.reports.catalogue import show_notes

    params, console = load_params(root / "params.yaml"), Console(file=io.StringIO(), width=150)
    return lambda: show_notes(Project(root), params, "synth", None, console, console)


def _dataset(root: Path) -> Any:
    from notedecay.core.config import load_params
    from notedecay.core.project import Project
    from notedecay.experiments.dataset import load_dataset

    params = load_params(root / "params.yaml")
    return load_dataset(Project(root).results("synth"), "synth", params)


def read(root: Path) -> Callable[[], object]:
    """Opening the clips as every later stage does, and reading one of them."""
    import notedecay.experiments.dataset  # noqa: F401  # its import does not count

    return lambda: float(_dataset(root).clips[-1].samples.sum())


def checkpoint(root: Path) -> Callable[[], object]:
    """An evaluation on validation notes, of ESPRIT."""
    from notedecay.models import create

    dataset = _dataset(root)
    model = create("esprit", dataset.signal, {"order": 24})

    def evaluate() -> object:
        clips = {clip.id: clip for clip in dataset.clips}
        chosen = [clips[id_] for id_ in dataset.checkpoint_ids(64)]
        return dataset.evaluation_set(chosen).evaluate(model)

    return evaluate


def _lstm(dataset: Any, epochs: int) -> Any:
    from notedecay.models import create

    settings = {"epochs": epochs, "units": 256, "window_seconds": SECONDS}
    return create("lstm", dataset.signal, settings)


def epoch(root: Path) -> Callable[[], object]:
    """An epoch of an LSTM of 256 units."""
    from notedecay.training import fit

    dataset = _dataset(root)
    return lambda: fit(_lstm(dataset, 1), dataset.part("train"), seed=0, device="cpu")


def batches(root: Path) -> Callable[[], object]:
    """The batches of an epoch of that LSTM, without the training."""
    import torch

    from notedecay.models.batches import Batches, InMemory

    dataset = _dataset(root)
    model = _lstm(dataset, 1)
    generator = torch.Generator().manual_seed(0)

    def frame() -> object:
        prepared = model.prepare(dataset.part("train"), generator)
        source = prepared if isinstance(prepared, Batches) else InMemory(prepared)
        order = torch.randperm(len(source), generator=generator)
        return sum(len(source.batch(notes)[0]) for notes in torch.split(order, 16))

    return frame


STAGES = {
    "prepare": prepare,
    "list": listed,
    "read": read,
    "checkpoint": checkpoint,
    "batches": batches,
    "epoch": epoch,
}


def measured(stage: str, root: Path) -> dict[str, float]:
    """Costs of a stage in this process."""
    work = STAGES[stage](root)
    began = time.process_time()
    work()
    seconds = time.process_time() - began
    status = Path("/proc/self/status").read_text().splitlines()
    mapped = next(int(line.split()[1]) for line in status if line.startswith("RssFile"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu_s": seconds, "peak_MiB": peak / 1024, "mapped_MiB": mapped / 1024}


def main() -> None:
    """Print a row for each stage and number of notes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notes", nargs="+", type=int)
    parser.add_argument("--stages", default="prepare,list,read,checkpoint,batches,epoch")
    parser.add_argument("--folder", type=Path, help="of projects that are kept for another call")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        print(json.dumps(measured(chosen.inside, chosen.folder)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        rows(chosen.notes, chosen.stages.split(","), chosen.folder or Path(temporary))


def rows(numbers: list[int], stages: list[str], folder: Path) -> None:
    """Print the table."""
    print("| stage | notes | CPU s | ms a note | peak MiB | mapped | time | memory |")
    print("| --- " * 8 + "|")
    first: dict[str, dict[str, float]] = {}
    for number in numbers:
        root = folder / str(number)
        if not root.exists():
            make(root, number)
        for stage in stages if stages[0] == "prepare" else ["prepare", *stages]:
            if stage == "prepare" and (root / "results").exists():
                continue
            command = [sys.executable, __file__, "0", "--inside", stage, "--folder", str(root)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            cost = json.loads(answer.stdout)
            base = first.setdefault(stage, cost)
            time_ratio, memory = (cost[key] / base[key] for key in ("cpu_s", "peak_MiB"))
            print(
                f"| {stage} | {number} | {cost['cpu_s']:.2f} | {1000 * cost['cpu_s'] / number:.2f} "
                f"| {cost['peak_MiB']:.0f} | {cost['mapped_MiB']:.0f} "
                f"| {time_ratio:.1f} x | {memory:.1f} x |",
                flush=True,
            )


if __name__ == "__main__":
    main()
