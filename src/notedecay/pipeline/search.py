"""Stage ``search``: the best continuator that trials on validation notes find."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from notedecay.config import Params
from notedecay.files import replacing
from notedecay.pipeline.material import Material, load_material
from notedecay.project import Project
from notedecay.search.search import Notes, Progress, search
from notedecay.search.space import check_spaces
from notedecay.search.study import study_name
from notedecay.tracking.provenance import digest, provenance
from notedecay.tracking.runs import Tracker


def run_search(project: Project, params: Params, instrument: str, progress: Progress) -> str:
    """Write ``best.json`` (continuator and settings) and ``trials.csv``.

    Parameters
    ----------
    project : Project
        Where results lie.
    params : Params
        Validated.
    instrument : str
        Which one.
    progress : Progress
        Told how it goes.

    Returns
    -------
    str
        What was found, in one line.
    """
    config = params.instrument(instrument)
    check_spaces(config.search.spaces, f"params.yaml: instruments.{instrument}.search.spaces")
    results = project.results(instrument)
    material = load_material(results, instrument, config)
    best = search(
        study_name(
            instrument,
            search=config.search.model_dump(exclude={"trials", "device"}),
            data=digest(material.path),
            seed=params.seed,
        ),
        config.search,
        _notes(material, config.evaluate.seen_notes, config.evaluate.listen),
        seed=params.seed,
        database=project.mlruns / "optuna.db",
        tracker=Tracker(
            project.mlruns, instrument, provenance(project, params.seed, material.path)
        ),
        progress=progress,
    )
    found = {"continuator": best.continuator, "settings": best.settings}
    with replacing(results / "best.json") as path:
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    write_rows(best.trials, results / "trials.csv")
    return f"best of {len(best.trials)} trials: {best.continuator}, validation {best.score:.3f}"


def _notes(material: Material, seen: int, listen: int) -> Notes:
    panels = {
        "seen": material.seen(seen),
        "validation": material.panel(material.part("validation")),
    }
    few = {name: panel.few(listen) for name, panel in panels.items()}
    return Notes(material.part("train"), panels, few, material.signal)


def write_rows(rows: list[dict[str, Any]], path: Path) -> None:
    """Write a table as CSV; a column that a row lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as sibling, sibling.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
