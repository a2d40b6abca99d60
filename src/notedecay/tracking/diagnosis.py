"""What a run leaves of its diagnosis: heat maps, warnings, numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from notedecay.tracking.runs import ActiveRun
from notedecay.training.diagnostics.pictures import write_diagnosis
from notedecay.training.diagnostics.snapshots import Snapshot
from notedecay.training.diagnostics.warnings import find_warnings

FOLDER = "diagnosis"
WARNINGS_TAG = "notedecay.warnings"


def log_diagnosis(run: ActiveRun, looks: Sequence[Snapshot]) -> None:
    """Log a diagnosis when the training is over.

    Parameters
    ----------
    run : ActiveRun
        Gets ``diagnosis/*.png``, ``diagnosis/warnings.txt`` and ``diagnosis/snapshots.json`` as
        files; the warnings of the last look as the tag ``notedecay.warnings``; and for each look
        the metrics ``diagnosis.gradient.<layer>``, ``diagnosis.dead.<layer>``,
        ``diagnosis.disagreement.<layer>`` and ``diagnosis.likeness``.
    looks : sequence of Snapshot
        One or more, of that training.
    """
    with tempfile.TemporaryDirectory(prefix="notedecay-") as name:
        write_diagnosis(looks, Path(name))
        run.folder(Path(name), FOLDER)
    run.tag({WARNINGS_TAG: "\n".join(find_warnings(looks[-1])) or "none"})
    there = run.steps("diagnosis.likeness")
    for look in looks:
        if look.epoch not in there:  # a killed stage may have come this far before
            run.metrics(_metrics(look), look.epoch)


def _metrics(look: Snapshot) -> dict[str, float]:
    by_layer = {
        f"diagnosis.{what}.{name}": value
        for name, layer in look.layers.items()
        for what, value in (
            ("gradient", layer.gradient),
            ("dead", layer.dead),
            ("disagreement", layer.disagreement),
        )
        if value is not None
    }
    return by_layer | {"diagnosis.likeness": look.likeness.made}
