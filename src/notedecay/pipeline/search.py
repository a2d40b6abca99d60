"""Stage ``search``: the best continuator that trials on validation notes find."""

from __future__ import annotations

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.core.tables import write_json, write_rows
from notedecay.experiments.dataset import Dataset, load_dataset
from notedecay.experiments.search.objective import Notes, Observer, search
from notedecay.experiments.search.study import study_name
from notedecay.pipeline.tracked import tracker_of


def run_search(project: Project, params: Params, instrument: str, observer: Observer) -> str:
    """Write ``best.json`` (continuator and settings) and ``trials.csv``.

    Parameters
    ----------
    project : Project
        Where results lie.
    params : Params
        Validated.
    instrument : str
        Which one.
    observer : Observer
        Told how it goes.

    Returns
    -------
    str
        What was found, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    material = load_dataset(results, instrument, params)
    best = search(
        study_name(
            instrument,
            search=config.search.model_dump(exclude={"trials", "device"}),
            material=material.identity("metrics", "models", "training", "experiments"),
            seed=params.seed,
        ),
        config.search,
        _notes(material, config.evaluate.seen_notes, config.evaluate.listen),
        seed=params.seed,
        database=project.mlruns / "optuna.db",
        tracker=tracker_of("search", project, params, instrument, material.path),
        observer=observer,
    )
    found = {"continuator": best.continuator, "settings": best.settings}
    write_json(found, results / "best.json")
    write_rows(best.trials, results / "trials.csv")
    return f"best of {len(best.trials)} trials: {best.continuator}, validation {best.score:.3f}"


def _notes(material: Dataset, seen: int, listen: int) -> Notes:
    panels = {
        "seen": material.seen(seen),
        "validation": material.panel(material.part("validation")),
    }
    return Notes(material.part("train"), panels, listen, material.signal)
