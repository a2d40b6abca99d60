"""Stage ``evaluate``: the trained model and the baselines, on seen and unseen notes."""

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
from notedecay.models import Continuator
from notedecay.pipeline.tracked import tracker_of
from notedecay.plots import PitchPoint, comparison_bars, decay_scatter, save, scores_by_pitch
from notedecay.tracking.listening import Verdict
from notedecay.tracking.runs import ActiveRun, Tracker
from notedecay.training.evaluator import EvaluationSet

Table = Mapping[str, Mapping[str, float]]
"""Means of one candidate, by split and measure."""

REPORTED = ("score", "score_sd", "decay_ok", "decay_ok_sd", "missing", "pitch_cents", "lsd_db",
            "envelope_db", "excess_noise_db", "tail_db", "join_snr_db", "attractor", "notes",
            "notes_judged")  # fmt: skip

LEAST_DECAYING = 0.1
"""Share of a candidate's partials; a tone that is held may seem to decay here and there."""


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
    material = load_dataset(results, instrument, params)
    tracker = tracker_of("evaluate", project, params, instrument, material.path)
    exam = Scorecard(material, config.evaluate)
    train_run = read_json(results / "train.json")["run_id"]
    competitors = candidates(material, config.evaluate, results / "model")
    runs: dict[str, str] = {}
    verdicts: dict[str, Verdict] = {}
    tables: dict[str, Table] = {}
    for name, continuator in competitors.items():
        say(name)
        verdicts[name] = exam.judge(continuator)
        with _run(tracker, continuator, train_run) as run:
            tables[name] = exam.log(run, verdicts[name])
        runs[name] = run.id
    say(ORACLE)
    verdicts[ORACLE] = exam.judge_oracle()
    with tracker.run(ORACLE, ORACLE, params={"order": ORACLE_ORDER}) as run:
        tables[ORACLE] = exam.log(run, verdicts[ORACLE])
    _keep(competitors, results / "candidates")
    _pictures(instrument, verdicts, exam.panels["test"], results / "pictures")
    scores = [row for name, verdict in verdicts.items() for row in rows(name, verdict)]
    write_rows(scores, results / "scores.csv")
    write_json(runs, results / "runs.json")
    write_json({name: _reported(table) for name, table in tables.items()}, results / "metrics.json")
    return f"{len(runs)} continuators on {len(material.part('test'))} unseen notes"


def decays(instrument: str, verdicts: Mapping[str, Verdict], panel: EvaluationSet) -> Figure:
    """Draw decay times of all partials of the unseen notes, true against generated.

    Parameters
    ----------
    instrument : str
        For the title.
    verdicts : mapping of str to Verdict
        By candidate. One that makes next to no decay, as silence does, is left out: it would
        only fill the upper edge.
    panel : EvaluationSet
        The unseen notes.
    """
    true: list[float] = []
    made: list[float] = []
    labels: list[str] = []
    for name, verdict in verdicts.items():
        partials = panel.partials(verdict["test"])
        decaying = sum(math.isfinite(partial.t60_made) for partial in partials)
        if decaying < LEAST_DECAYING * len(partials):
            continue
        true += [partial.t60 for partial in partials]
        made += [partial.t60_made for partial in partials]
        labels += [name] * len(partials)
    return decay_scatter(true, made, labels, f"{instrument}: unseen notes")


def _run(
    tracker: Tracker, continuator: Continuator[Any], train_run: str
) -> AbstractContextManager[ActiveRun]:
    """The training's own run for the trained model, where the store has it; else a new one."""
    if continuator.learned and tracker.has(train_run):
        return tracker.resume(train_run)
    return new_run(tracker, continuator)


def _reported(table: Table) -> dict[str, dict[str, float | None]]:
    """Rounded, and null for what has no value, since NaN is not JSON."""
    return {
        name: {m: None if (v := table[split][m]) != v else round(v, 4) for m in REPORTED}
        for name, split in (("seen", "seen"), ("unseen", "test"))
    }


def _keep(competitors: Mapping[str, Continuator[Any]], folder: Path) -> None:
    with replacing_folder(folder) as fresh:
        for name, continuator in competitors.items():
            (fresh / name).mkdir()
            continuator.save(fresh / name)


def _pictures(
    instrument: str, verdicts: Mapping[str, Verdict], panel: EvaluationSet, folder: Path
) -> None:
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
        title = f"{instrument}: seen and unseen notes"
        save(scores_by_pitch(points, "score", title), fresh / "by_pitch.png")
        save(decays(instrument, verdicts, panel), fresh / "decay.png")
