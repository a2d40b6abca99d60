"""Stage ``evaluate``: the trained model and the baselines, on seen and unseen notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from notedecay.analysis import PitchPoint, comparison_bars, save, scores_by_pitch
from notedecay.config import Params
from notedecay.files import replacing, replacing_folder
from notedecay.pipeline.candidates import (
    Verdicts,
    candidates,
    log_candidate,
    means,
    panels,
    read_json,
    rows,
    start,
)
from notedecay.pipeline.material import load_material
from notedecay.pipeline.search import write_rows
from notedecay.project import Project
from notedecay.tracking.provenance import provenance
from notedecay.tracking.runs import Tracker

REPORTED = ("score", "score_sd", "decay_ok", "decay_ok_sd", "missing", "pitch_cents", "lsd_db",
            "envelope_db", "excess_noise_db", "tail_db", "join_snr_db", "attractor", "notes",
            "notes_judged")  # fmt: skip


def evaluate(project: Project, params: Params, instrument: str, say: Callable[[str], None]) -> str:
    """Write ``metrics.json``, ``scores.csv``, ``runs.json``, ``candidates/`` and ``pictures/``.

    Test notes are touched here and nowhere before.

    Parameters
    ----------
    project : Project
        Where results lie.
    params : Params
        Validated.
    instrument : str
        Which one.
    say : callable
        Told each candidate's name.

    Returns
    -------
    str
        How many candidates on how many notes, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    material = load_material(results, instrument, config)
    tracker = Tracker(project.mlruns, instrument, provenance(project, params.seed, material.path))
    heard = panels(material, config.evaluate)
    few = {split: panel.few(config.evaluate.listen) for split, panel in heard.items()}
    train_run = read_json(results / "train.json")["run_id"]
    runs: dict[str, str] = {}
    verdicts: dict[str, Verdicts] = {}
    metrics: dict[str, dict[str, Any]] = {}
    competitors = candidates(material, config.evaluate, results / "model")
    for name, continuator in competitors.items():
        say(name)
        verdicts[name] = {split: panel.judge(continuator) for split, panel in heard.items()}
        table = {split: means(verdicts[name][split], heard[split]) for split in heard}
        with start(tracker, continuator, train_run) as run:
            log_candidate(run, verdicts[name], table, few, material.signal.prime_samples)
        runs[name] = run.id
        metrics[name] = {
            "seen": _reported(table["seen"]),
            "unseen": _reported(table["test"]),
        }
    with replacing_folder(results / "candidates") as folder:
        for name, continuator in competitors.items():
            (folder / name).mkdir()
            continuator.save(folder / name)
    _pictures(instrument, verdicts, results / "pictures")
    write_rows([row for name in verdicts for row in rows(name, verdicts[name])],
               results / "scores.csv")  # fmt: skip
    _write_json(runs, results / "runs.json")
    _write_json(metrics, results / "metrics.json")
    return f"{len(runs)} continuators on {len(material.part('test'))} unseen notes"


def _reported(table: dict[str, float]) -> dict[str, float | None]:
    """Rounded, and without what has no value: NaN is not JSON."""
    return {m: None if table[m] != table[m] else round(table[m], 4) for m in REPORTED}


def _pictures(instrument: str, verdicts: dict[str, Verdicts], folder: Path) -> None:
    unseen = {name: [j.scores for j in verdict["test"]] for name, verdict in verdicts.items()}
    points = {
        name: [
            PitchPoint(j.clip.pitch, j.scores.score, split == "seen")
            for split, judged in verdict.items()
            for j in judged
        ]
        for name, verdict in verdicts.items()
    }
    with replacing_folder(folder) as fresh:
        bars = comparison_bars(unseen, title=f"{instrument}: unseen notes")
        save(bars, fresh / "comparison.png")
        save(scores_by_pitch(points, "score", instrument), fresh / "by_pitch.png")


def _write_json(value: Any, path: Path) -> None:
    with replacing(path) as sibling:
        sibling.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")
