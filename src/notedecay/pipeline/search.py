"""Stage ``search``: trials evaluated on validation notes, and the best of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from notedecay.core.config import Params
from notedecay.core.errors import UserError, nearest
from notedecay.core.project import Project
from notedecay.core.tables import write_json, write_rows
from notedecay.experiments.dataset import load_dataset
from notedecay.experiments.fingerprint import training_code
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.search.decide import decide
from notedecay.experiments.search.sampler import DIRECTIONS, Plan
from notedecay.experiments.search.search import Notes, Resources, Study, rows, search
from notedecay.experiments.search.seeding import Seeds, seeds
from notedecay.experiments.search.storage import SharedStudy
from notedecay.experiments.store import TrialStore
from notedecay.pipeline.configure import sampling_code
from notedecay.pipeline.tracked import tracker_of

NOT_COMPARED = {
    "trials", "patience", "finalists", "folds", "device", "workers", "gpus_per_trial",
}  # fmt: skip
"""Parameters of the search that leave its trials as they are."""


def run_search(
    project: Project, params: Params, instrument: str, placement: Placement, bars: TrialBars
) -> str:
    """Write ``best.json`` (model, settings, why), and tables of all trials and the finalists.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Validated.
    instrument : str
        Its name.
    placement : Placement
        Where the trials run.
    bars : TrialBars
        Draws the progress.

    Returns
    -------
    str
        The best model and its score, in one line.
    """
    results = project.results(instrument)
    study = study_of(project, params, instrument)
    tracker = tracker_of("search", project, params, instrument, study.notes.dataset.path)
    store = TrialStore(project.trials)
    runner = placement.runner(store)
    with shared_study(project, study, bars.warn) as shared:
        study = seeded(study, shared, instrument, bars.warn)
        resources = Resources(shared, store, runner, tracker, bars)
        over = search(study, resources)
        best = decide(study, over, resources)
    write_rows(rows(over), results / "trials.csv")
    write_rows(best.finalists, results / "finalists.csv")
    write_rows(best.pareto, results / "pareto.csv")
    write_json(
        {"model": best.model, "settings": best.settings, "choice": best.line},
        results / "best.json",
    )
    return f"best of {len(over)} trials: {best.line}"


def run_worker(
    project: Project, params: Params, instrument: str, placement: Placement, bars: TrialBars
) -> str:
    """Run trials of an instrument's study beside other processes, until it has enough.

    Parameters are those of :func:`run_search`. Nothing is written to ``results/``.
    """
    study = study_of(project, params, instrument)
    tracker = tracker_of("search", project, params, instrument, study.notes.dataset.path)
    store = TrialStore(project.trials)
    with shared_study(project, study, bars.warn) as shared:
        study = seeded(study, shared, instrument, bars.warn)
        over = search(study, Resources(shared, store, placement.runner(store), tracker, bars))
    return f"{study.name} has its {len(over)} trials"


def study_of(project: Project, params: Params, instrument: str) -> Study:
    """The study of an instrument with the present parameters, notes and code.

    Raises
    ------
    UserError
        As :func:`notedecay.experiments.dataset.load_dataset`.
    """
    config = params.instrument(instrument)
    dataset = load_dataset(project.results(instrument), instrument, params)
    code = {model: training_code(model) for model in config.search.spaces}
    name = study_name(
        instrument,
        search=config.search.model_dump(exclude=NOT_COMPARED),
        checkpoint_notes=config.evaluate.checkpoint_notes,
        dataset=dataset.identity(),
        code={**code, "sampling": sampling_code()},
        seed=params.seed,
    )
    plan = Plan(
        seed=params.seed,
        window=config.search.window,
        spaces=config.search.spaces,
        startup=config.search.startup,
        objectives=tuple(config.search.objectives),
    )
    evaluate = config.evaluate
    notes = Notes(dataset, evaluate.seen_notes, evaluate.checkpoint_notes, evaluate.listen)
    return Study(name, config.search, notes, plan)


def shared_study(
    project: Project, study: Study, notify: Callable[[str], None] = lambda _: None
) -> SharedStudy:
    """The shared storage of a study."""
    directions = [DIRECTIONS[name] for name in study.plan.objectives]
    return SharedStudy(study.name, project.mlruns, directions, notify)


def seeded(
    study: Study, shared: SharedStudy, instrument: str, notify: Callable[[str], None]
) -> Study:
    """The study, begun with the best points of an earlier one where its parameters ask for it.

    The points are kept with the study, so that every process and each resume has the same.
    """
    most = study.config.seeds
    if not most:
        return study
    with shared.claims.alone():
        kept = shared.attribute("seeds")
        if kept is None:
            found = seeds(shared.earlier(instrument), study.name, study.plan.spaces, most)
            nothing = Seeds((), "no earlier search has points that fit this one")
            kept = vars(found or nothing) | {"points": list((found or nothing).points)}
            shared.keep("seeds", kept)
    notify(kept["line"])
    return replace(study, plan=replace(study.plan, enqueued=tuple(kept["points"])))


def instrument_of(project: Project, params: Params, study: str) -> str:
    """The instrument that is named, or whose present study is.

    Raises
    ------
    UserError
        For a name of neither kind, or a study of other parameters, notes or code.
    """
    if study in params.instruments:
        return study
    present = {study_of(project, params, name).name: name for name in params.instruments}
    if study in present:
        return present[study]
    instrument = study.rpartition("-")[0]
    if instrument in params.instruments:
        own = next(one for one, name in present.items() if name == instrument)
        raise UserError(
            f"the study {study} has other parameters, notes or code than this project: its study "
            f"of {instrument} is {own}"
        )
    raise UserError(f"no study or instrument '{study}'{nearest(study, params.instruments)}")


def placement_of(
    params: Params,
    instrument: str,
    workers: int | None = None,
    device: str | None = None,
    gpus_per_trial: float | None = None,
    ray: str | None = None,
) -> Placement:
    """Where an instrument's trials run: as given, else as its parameters say."""
    config = params.instrument(instrument).search
    return Placement(
        device or config.device,
        workers or config.workers,
        gpus_per_trial or config.gpus_per_trial,
        ray or os.environ.get("NOTEDECAY_RAY"),
    )


def study_name(instrument: str, **what: Any) -> str:
    """A name that changes with anything that makes trials incomparable.

    Parameters
    ----------
    instrument : str
        Begins the name.
    **what
        Plain values: space, data, seed, length of a trial, ...
    """
    text = json.dumps(what, sort_keys=True)
    return f"{instrument}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
