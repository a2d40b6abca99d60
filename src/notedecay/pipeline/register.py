"""Stage ``register``: register the candidates, and decide which is champion.

DVC cannot see the registry, so this stage always runs. It brings the registry in line with the
results in the workspace, including results from the run cache and a tracking store that is new to
them. If nothing has changed it ends at once.
"""

from __future__ import annotations

from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.core.tables import write_json
from notedecay.experiments.dataset import load_dataset
from notedecay.models import MODELS
from notedecay.pipeline.tracked import tracker_of
from notedecay.registry import versions
from notedecay.registry.gate import Gate
from notedecay.registry.names import CHAMPION
from notedecay.registry.up_to_date import remember


def register(project: Project, params: Params, instrument: str) -> str:
    """Register the best baseline and the trained model; write ``registered.json``.

    Parameters
    ----------
    project : Project
        Holds data and results.
    params : Params
        Validated.
    instrument : str
        Its name.

    Returns
    -------
    str
        The last decision, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    dataset = load_dataset(results, instrument, params)
    tracker = tracker_of("register", project, params, instrument, dataset.path)
    gate = Gate(tracker, dataset, config, results, project.data)
    decided = {name: gate.register(name) for name in gate.candidates()}
    champion = versions.holder(tracker.client, gate.name, CHAMPION)
    if champion is None:
        raise UserError(f"{gate.name} has lost its alias '{CHAMPION}': run 'dvc repro' again")
    names = {str(version.version): name for name, (version, _) in decided.items()}
    decisions = [decision.reason for _, decision in decided.values()]
    kind = champion.tags.get("model", "unknown")
    registered = {
        "name": gate.name,
        "champion": {
            "version": str(champion.version),
            "run_id": champion.run_id,
            "model": kind,
            "learned": kind in MODELS and MODELS[kind].learned,
            "candidate": names.get(str(champion.version)),
        },
        "decisions": decisions,
    }
    write_json(registered, results / "registered.json")
    remember(project, instrument)
    return decisions[-1]
