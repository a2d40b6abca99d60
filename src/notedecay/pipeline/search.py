"""Stage ``search``: trials evaluated on validation notes, and the best of them."""

from __future__ import annotations

from notedecay.core.config import Params
from notedecay.core.project import Project
from notedecay.core.tables import write_json, write_rows
from notedecay.experiments.dataset import load_dataset
from notedecay.experiments.fingerprint import training_code
from notedecay.experiments.progress import TrialBars
from notedecay.experiments.runners.serial import SerialRunner
from notedecay.experiments.search.objective import Notes, search
from notedecay.experiments.search.study import study_name
from notedecay.experiments.store import TrialStore
from notedecay.pipeline.tracked import tracker_of


def run_search(project: Project, params: Params, instrument: str, bars: TrialBars) -> str:
    """Write ``best.json`` (model and settings) and ``trials.csv``.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Validated.
    instrument : str
        Its name.
    bars : TrialBars
        Draws the progress.

    Returns
    -------
    str
        The best model and its score, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    dataset = load_dataset(results, instrument, params)
    store = TrialStore(project.trials)
    best = search(
        study_name(
            instrument,
            search=config.search.model_dump(exclude={"trials", "device"}),
            dataset=dataset.identity(),
            code={model: training_code(model) for model in config.search.spaces},
            seed=params.seed,
        ),
        config.search,
        Notes(dataset, config.evaluate.seen_notes, config.evaluate.listen),
        seed=params.seed,
        database=project.mlruns / "optuna.db",
        store=store,
        runner=SerialRunner(store, config.search.device),
        tracker=tracker_of("search", project, params, instrument, dataset.path),
        bars=bars,
    )
    write_json({"model": best.model, "settings": best.settings}, results / "best.json")
    write_rows(best.trials, results / "trials.csv")
    return f"best of {len(best.trials)} trials: {best.model}, validation {best.score:.3f}"
