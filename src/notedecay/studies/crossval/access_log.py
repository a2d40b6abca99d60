"""The test-set access log: it counts the sets of systems that are evaluated on the same notes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notedecay.core.errors import UserError
from notedecay.core.tables import read_json, write_json


def open_once(
    path: Path, settings: Mapping[str, Any], code: str, notes: str, why: str | None
) -> int:
    """Record in the log that a set of systems is evaluated on a set of notes.

    The same systems may be evaluated again. Other systems need a reason, since choosing among them
    by these figures would be tuning on the test set. The number of sets is shown above the table.

    Parameters
    ----------
    path : Path
        The log, which is committed so that every clone has it.
    settings : mapping
        Systems, with all their settings.
    code : str
        Digest of their code: a model with changed code is another system.
    notes : str
        Digest of the names of the notes, which do not depend on machine and rate.
    why : str, optional
        Reason to evaluate other systems.

    Returns
    -------
    int
        How many sets of systems have been evaluated on these notes, this one included.

    Raises
    ------
    UserError
        For another set of systems without a reason.
    """
    earlier = read_json(path) if path.exists() else []
    entries = [one for one in earlier if one["notes"] == notes]
    now = {"settings": dict(settings), "code": code, "notes": notes}
    if any(one["settings"] == now["settings"] and one["code"] == code for one in entries):
        return len(entries)
    if entries and not why:
        raise UserError(
            f"these notes were used on {entries[-1]['date']} for other systems; to choose by their "
            "figures is to tune on them. Choose on validation notes (stage search), or give a "
            "reason to use them again: --again 'reason'"
        )
    entry = {**now, "date": datetime.date.today().isoformat(), "why": why or "first evaluation"}
    write_json([*earlier, entry], path)
    return len(entries) + 1
