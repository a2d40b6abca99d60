"""Names of models in the registry, and their URIs."""

from __future__ import annotations

import re

from notedecay.core.errors import UserError

CHAMPION = "champion"
CHALLENGER = "challenger"


def registered_name(instrument: str) -> str:
    """``notedecay-<instrument>``."""
    return f"notedecay-{instrument}"


def champion_uri(instrument: str) -> str:
    """URI of the champion of an instrument."""
    return f"models:/{registered_name(instrument)}@{CHAMPION}"


def parse_uri(uri: str) -> tuple[str, str | None, str | None]:
    """Split ``models:/name@alias`` or ``models:/name/version``.

    Parameters
    ----------
    uri : str
        In MLflow's form.

    Returns
    -------
    name, alias, version : str, str or None, str or None
        Exactly one of alias and version is given.

    Raises
    ------
    UserError
        For anything else.
    """
    found = re.fullmatch(r"models:/([\w.\- ]+?)(?:@([\w.\-]+)|/([0-9]{1,9}))", uri)
    if not found:
        raise UserError(
            f"'{uri}' is not a model: write models:/notedecay-piano@champion "
            "or models:/notedecay-piano/3"
        )
    return found[1], found[2], found[3]
