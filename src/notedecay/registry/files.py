"""Files of a version: where the model lies among them, and whether they are those registered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from notedecay.core.errors import DamagedError, UserError
from notedecay.models import checksums
from notedecay.models.formats import DESCRIPTION, DESCRIPTIONS

SUMS_TAG = "sha256"
"""Tag of a version: SHA-256 of each file of its model, by name, in JSON."""
MEND = "bring that folder back; only if it is lost for good, delete the version and run make repro"


def model_folder(folder: Path, tags: Mapping[str, str], uri: str) -> Path:
    """The folder of the saved model among the files of a version, checked.

    Parameters
    ----------
    folder : Path
        Files of the version, with those that MLflow adds.
    tags : mapping of str to str
        Of the version. One without checksums, of an early release, is not checked.
    uri : str
        Of the version, for messages.

    Raises
    ------
    DamagedError
        If files are missing, or are not those that were registered.
    UserError
        If it is no model of notedecay.
    """
    found = [path for name in DESCRIPTIONS for path in sorted(folder.rglob(name))]
    if not found and SUMS_TAG in tags:
        raise DamagedError(f"{uri} has lost its {DESCRIPTION} below {folder}: {MEND}")
    if not found:
        raise UserError(f"{uri} holds no model of notedecay; it was registered by another program")
    mend = f"these are no longer the files of {uri}: {MEND}"
    checksums.compare(_sums(tags, uri), found[0].parent, mend)
    return found[0].parent


def _sums(tags: Mapping[str, str], uri: str) -> dict[str, str]:
    """Checksums that a version was registered with; none if it has no such tag."""
    try:
        return {str(k): str(v) for k, v in json.loads(tags.get(SUMS_TAG, "{}")).items()}
    except (ValueError, AttributeError) as error:
        raise DamagedError(
            f"the tag '{SUMS_TAG}' of {uri} holds no checksums: bring it back, or delete it to "
            "use the files unchecked"
        ) from error
