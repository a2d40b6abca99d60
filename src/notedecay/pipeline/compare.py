"""Stage ``compare``: the trained model and the baselines on seen and unseen notes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from notedecay.core.config import Params
from notedecay.core.files import replacing_folder
from notedecay.core.project import Project
from notedecay.core.tables import read_json, write_json, write_rows
from notedecay.experiments.candidates import candidates, new_run
from notedecay.experiments.dataset import load_dataset
from notedecay.experiments.oracle import ORACLE, ORACLE_ORDER
from notedecay.experiments.scorecard import Scorecard, rows
from notedecay.experiments.scoring import Scored
from notedecay.models import Continuator
from notedecay.pipeline.tracked import tracker_of
from notedecay.plots import PitchPoint, comparison_bars, decay_scatter, save, scores_by_pitch
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.evaluator import EvaluationSet

Table = Mapping[str, Mapping[str, float]]
"""Means of one candidate, by split and measure."""

REPORTED = ("score", "score_sd", "decay_ok", "decay_ok_sd", "missing", "pitch_cents", "lsd_db",
            "envelope_db", "excess_noise_db", "tail_db", "join_snr_db", "attractor", "notes",
            "notes_judged")  # fmt: skip
SUMMARY = ("score", "decay_ok", "missing")
"""Figures of the trained model on unseen notes that are metrics of DVC, few enough for a screen."""

MIN_DECAYING = 0.1
"""Least share of partials that decay in a candidate that is drawn; a few may seem to by noise."""


def compare(
    project: Project, params: Params, instrument: str, on_candidate: Callable[[str], None]
) -> str:
    """Write ``scores.json``, ``metrics.json``, ``scores.csv``, ``runs.json`` and two folders.

    The folders are ``candidates/`` (saved models) and ``pictures/``. ``metrics.json`` holds a few
    figures of the trained model, ``scores.json`` those of every candidate.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Validated.
    instrument : str
        Its name.
    on_candidate : callable
        Called with the name of each candidate before its evaluation.

    Returns
    -------
    str
        How many candidates on how many notes, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    dataset = load_dataset(results, instrument, params)
    tracker = tracker_of("compare", project, params, instrument, dataset.path)
    scorecard = Scorecard(dataset, config.evaluate)
    train_run = read_json(results / "train.json")["run_id"]
    models = candidates(dataset, config.evaluate, results / "model")
    runs: dict[str, str] = {}
    scored: dict[str, Scored] = {}
    tables: dict[str, Table] = {}
    for name, model in models.items():
        on_candidate(name)
        scored[name] = scorecard.evaluate(model)
        with _run(tracker, model, train_run) as run:
            tables[name] = scorecard.log(run, scored[name])
        runs[name] = run.id
    on_candidate(ORACLE)
    scored[ORACLE] = scorecard.evaluate_oracle()
    with tracker.run(ORACLE, ORACLE, params={"order": ORACLE_ORDER}) as run:
        tables[ORACLE] = scorecard.log(run, scored[ORACLE])
    _save(models, results / "candidates")
    _pictures(instrument, scored, scorecard.sets["test"], results / "pictures")
    write_rows([row for name, each in scored.items() for row in rows(name, each)],
               results / "scores.csv")  # fmt: skip
    write_json(runs, results / "runs.json")
    reported = {name: _reported(table) for name, table in tables.items()}
    write_json(reported, results / "scores.json")
    trained = next(name for name, model in models.items() if model.learned)
    unseen = reported[trained]["unseen"]
    summary = {measure: unseen[measure] for measure in SUMMARY}
    write_json({instrument: summary}, results / "metrics.json")
    return f"{len(runs)} models on {len(dataset.part('test'))} unseen notes"


def decays(instrument: str, scored: Mapping[str, Scored], notes: EvaluationSet) -> Figure:
    """Draw decay times of all partials of the unseen notes, true against generated.

    Parameters
    ----------
    instrument : str
        For the title.
    scored : mapping of str to Scored
        By candidate. One with hardly any decaying partial, such as silence, is left out: its points
        would only fill the upper edge.
    notes : EvaluationSet
        The unseen notes.
    """
    true: list[float] = []
    made: list[float] = []
    labels: list[str] = []
    for name, each in scored.items():
        partials = notes.partials(each["test"])
        decaying = sum(math.isfinite(partial.t60_made) for partial in partials)
        if decaying < MIN_DECAYING * len(partials):
            continue
        true += [partial.t60 for partial in partials]
        made += [partial.t60_made for partial in partials]
        labels += [name] * len(partials)
    return decay_scatter(true, made, labels, f"{instrument}: unseen notes")


def _run(
    tracker: Tracker, model: Continuator[Any], train_run: str
) -> AbstractContextManager[ActiveRun]:
    """The training's own run for the trained model, where the store has it; else a new one."""
    if model.learned and tracker.has(train_run):
        return tracker.resume(train_run)
    return new_run(tracker, model)


def _reported(table: Table) -> dict[str, dict[str, float | None]]:
    """Rounded means; null instead of NaN, which is not JSON."""
    return {
        name: {m: None if (v := table[split][m]) != v else round(v, 4) for m in REPORTED}
        for name, split in (("seen", "seen"), ("unseen", "test"))
    }


def _save(models: Mapping[str, Continuator[Any]], folder: Path) -> None:
    with replacing_folder(folder) as fresh:
        for name, model in models.items():
            (fresh / name).mkdir()
            model.save(fresh / name)


def _pictures(
    instrument: str, scored: Mapping[str, Scored], notes: EvaluationSet, folder: Path
) -> None:
    unseen = {name: [item.scores for item in each["test"]] for name, each in scored.items()}
    points = {
        name: [
            PitchPoint(item.clip.pitch, item.scores.score, split == "seen")
            for split, items in each.items()
            for item in items
        ]
        for name, each in scored.items()
    }
    with replacing_folder(folder) as fresh:
        bars = comparison_bars(unseen, title=f"{instrument}: unseen notes")
        save(bars, fresh / "comparison.png")
        title = f"{instrument}: seen and unseen notes"
        save(scores_by_pitch(points, "score", title), fresh / "by_pitch.png")
        save(decays(instrument, scored, notes), fresh / "decay.png")
