"""Trials per hour of a search with one and with two workers, side by side in one run.

Usage: python -m benchmarks.workers [INSTRUMENT] [TRIALS]

The instrument must be prepared. Each search works in a copy of the project with an empty store, on
trials of one model and length, so that only the number of workers differs. The process that
searches tracks and stores what its workers compute: its own CPU time is the cost of both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

from notedecay.core.config import load_params
from notedecay.core.project import find_project

CHANGED: dict[str, Any] = {
    "window": 8, "startup": 1, "finalists": 1, "epochs": 8, "check_every": 4,
    "spaces": {"gru": {"units": 128, "resolution": 30, "learning_rate": [0.001, 0.002, 0.004]}},
}  # fmt: skip


def copied(instrument: str, trials: int, place: Path) -> Path:
    """A copy of the project with a short search and an empty store."""
    project = find_project()
    config = load_params(project.params).instrument(instrument)
    values = config.model_dump(by_alias=True)
    values["search"] |= CHANGED | {"trials": trials}
    place.mkdir(parents=True)
    shutil.copy(project.root / "dvc.yaml", place)
    shutil.copytree(project.results(instrument), place / "results" / instrument)
    seed = load_params(project.params).seed
    params = {"seed": seed, "defaults": values, "instruments": {instrument: {}}}
    (place / "params.yaml").write_text(yaml.safe_dump(params))
    return place


def searched(root: Path, instrument: str, workers: int) -> tuple[float, float]:
    """Wall time from the first trial to the end, and CPU time of the searching process (s)."""
    command = ["notedecay", "search", instrument, "--workers", str(workers)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    own = psutil.Process(process.pid)
    began, cpu = None, 0.0
    while process.poll() is None:
        if began is None and list((root / "mlruns").glob("trials/*.unfinished")):
            began, start = time.perf_counter(), own.cpu_times()
        if began is not None:
            try:
                now = own.cpu_times()
            except psutil.NoSuchProcess:
                break
            cpu = now.user + now.system - start.user - start.system
        time.sleep(0.05)
    assert process.wait() == 0
    assert began is not None
    return time.perf_counter() - began, cpu


def main() -> None:
    """Print a line for each number of workers, and their ratio."""
    instrument = sys.argv[1] if len(sys.argv) > 1 else "piano"
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    per_hour = {}
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            root = copied(instrument, trials, Path(folder) / str(workers))
            wall, own = searched(root, instrument, workers)
            per_hour[workers] = 3600 * trials / wall
            share = own / (wall * workers)
            print(
                f"{workers} workers: {per_hour[workers]:.0f} trials/h; tracking and storage "
                f"{own / trials:.2f} s of CPU a trial, {share:.1%} of the workers' time",
                flush=True,
            )
    print(f"two workers are {per_hour[2] / per_hour[1]:.2f} times as fast as one")


if __name__ == "__main__":
    main()
