"""Addition of an instrument to ``params.yaml``."""

from __future__ import annotations

from notedecay.core.commands import pasteable
from notedecay.core.config import load_params
from notedecay.core.errors import UserError
from notedecay.core.files import replacing
from notedecay.core.project import Project
from notedecay.core.yaml_file import read_text, with_entry
from notedecay.data.sources.folder import check_instrument


def add_instrument(project: Project, name: str) -> str:
    """Add an instrument that uses the defaults.

    Parameters
    ----------
    project : Project
        Whose ``params.yaml`` is edited; its comments and layout are kept.
    name : str
        The instrument.

    Returns
    -------
    str
        What to do next, in one line.

    Raises
    ------
    UserError
        For a name that exists already or is not valid, and for a file that is not valid.
    """
    check_instrument(name)
    path = project.params
    if name in load_params(path).instruments:
        raise UserError(f"{path} has an instrument '{name}' already")
    try:
        text = with_entry(read_text(path), "instruments", name)
    except ValueError as error:
        raise UserError(
            f"{path}: {error}: write '{name}: {{}}' below 'instruments:' yourself"
        ) from error
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
    if any((project.data / name).glob("*")):
        return f"{name} is in {path}: run 'notedecay pin', then 'make repro'"
    fetch = pasteable("notedecay", "fetch", "--source", "FOLDER", "--instrument", name)
    return (
        f"{name} is in {path}; put recordings in {project.data / name} or run '{fetch}', then "
        "'notedecay pin' and 'make repro'"
    )
