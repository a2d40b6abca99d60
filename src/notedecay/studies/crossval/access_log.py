"""The seal on the final figures: who looks at them twice, after a change, has tuned on them."""

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
    """Break the seal of a set of notes for one set of competitors.

    Going on with the same competitors is no second look. For others a reason must be given; it
    is written down and counted, and the count stands above the table.

    Parameters
    ----------
    path : Path
        The list of looks, which is committed: a fresh clone must not forget them.
    settings : mapping
        Competitors, with all their settings.
    code : str
        Digest of the code that they are made of: a changed model is another competitor.
    notes : str
        Digest of their names, which are the same on every machine and at every rate.
    why : str, optional
        Reason for another look.

    Returns
    -------
    int
        How many sets of competitors have been judged on these notes, this one included.

    Raises
    ------
    UserError
        For another set of competitors without a reason.
    """
    earlier = read_json(path) if path.exists() else []
    looks = [look for look in earlier if look["notes"] == notes]
    now = {"settings": dict(settings), "code": code, "notes": notes}
    if any(look["settings"] == now["settings"] and look["code"] == code for look in looks):
        return len(looks)
    if looks and not why:
        raise UserError(
            f"these notes were opened on {looks[-1]['date']} for other competitors; to choose by "
            "what they say is to tune on them. Choose on validation notes (notedecay search), or "
            "say why they must be opened again: --again 'reason'"
        )
    entry = {**now, "date": datetime.date.today().isoformat(), "why": why or "first look"}
    write_json([*earlier, entry], path)
    return len(looks) + 1
