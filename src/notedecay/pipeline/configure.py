"""Stage ``configure``: the parameters of one instrument, with the defaults put in.

DVC compares parameters by their path in a file, and refuses a path that is not there. The stages
after this one depend on the merged file, in which every value has a path. So a change re-runs just
the stages that use the value, wherever ``params.yaml`` says it.
"""

from __future__ import annotations

import yaml

from notedecay.core.config import Params
from notedecay.core.files import replacing
from notedecay.core.project import Project


def configure(project: Project, params: Params, instrument: str) -> str:
    """Write ``params.yaml`` of an instrument's results: the seed and every parameter.

    Parameters
    ----------
    project : Project
        Where results lie.
    params : Params
        Validated.
    instrument : str
        Which one.

    Returns
    -------
    str
        What was written, in one line.
    """
    path = project.results(instrument) / "params.yaml"
    values = params.instrument(instrument).model_dump(by_alias=True)
    with replacing(path) as partial:
        text = yaml.safe_dump({"seed": params.seed, **values}, sort_keys=False)
        partial.write_text(f"# Made from params.yaml of the project; edit that.\n{text}")
    return f"parameters in {path.relative_to(project.root)}"
