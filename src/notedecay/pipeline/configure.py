"""Stage ``configure``: all parameters of an instrument, and hashes of the code of each stage.

DVC compares parameters by their path in a file, and refuses a path that does not exist. The later
stages depend on the merged file, in which every value has a path. So a change re-runs only the
stages that use the value, whether it is in the defaults or in the instrument's own section of
``params.yaml``. Code has a hash for each stage and model: a change of a comment, a picture or
another model's code re-runs nothing.
"""

from __future__ import annotations

from typing import Any

from notedecay.core.config import Instrument, Params
from notedecay.core.digests import code_digest
from notedecay.core.project import MERGED_PARAMS, Project
from notedecay.core.tables import write_json
from notedecay.experiments.fingerprint import training_code

PREPARE = ("notedecay.data.catalogue", "notedecay.data.clips", "notedecay.data.split")
SAMPLING = ("notedecay.experiments.search.pruning", "notedecay.experiments.search.sampler")
CHOICE = ("notedecay.experiments.search.choice", "notedecay.experiments.search.finals",
          "notedecay.experiments.search.pareto", "notedecay.experiments.search.stop")  # fmt: skip
COMPARE = ("notedecay.pipeline.compare",)
NO_MODELS = ("notedecay.core", "notedecay.models", "notedecay.tracking")
NO_RESULTS = ("notedecay.core", "notedecay.models", "notedecay.tracking", "notedecay.plots")
"""Code that none of these results depends on; models count each by itself."""


def configure(project: Project, params: Params, instrument: str) -> str:
    """Write ``params.json`` of an instrument's results: the seed, every parameter, and code.

    It is JSON, since DVC reads it for each stage, and YAML takes it ten times as long.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Validated.
    instrument : str
        Its name.

    Returns
    -------
    str
        The file, in one line.
    """
    path = project.results(instrument) / MERGED_PARAMS
    config = params.instrument(instrument)
    write_json(
        {"seed": params.seed, **config.model_dump(by_alias=True), "code": _code(config)}, path
    )
    return f"parameters in {path.relative_to(project.root)}"


def sampling_code() -> str:
    """Hash of the code that the points of a search's trials, and their pruning, depend on."""
    return code_digest(SAMPLING, NO_RESULTS)


def _code(config: Instrument) -> dict[str, Any]:
    """Hash of the code of each stage; per model where a stage uses several."""
    searched = {name: training_code(name) for name in sorted(config.search.spaces)}
    baselines = {name: training_code(name) for name in sorted(config.evaluate.baselines)}
    return {
        "prepare": code_digest(PREPARE, NO_RESULTS),
        "search": {
            **searched,
            "sampling": sampling_code(),
            "choice": code_digest(CHOICE, NO_RESULTS),
        },
        "train": searched,
        "compare": {**searched, **baselines, "table": code_digest(COMPARE, NO_MODELS)},
    }
