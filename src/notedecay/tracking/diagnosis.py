"""Logging of a training's diagnosis to its run: heat maps, warnings, metrics."""

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


def log_diagnosis(run: ActiveRun, snapshots: Sequence[Snapshot]) -> None:
    """Log a diagnosis when the training is over.

    Parameters
    ----------
    run : ActiveRun
        Gets ``diagnosis/*.png``, ``diagnosis/warnings.txt`` and ``diagnosis/snapshots.json`` as
        files; the warnings of the last snapshot as the tag ``notedecay.warnings``; and for each
        snapshot the metrics ``diagnosis.gradient.<layer>``, ``diagnosis.dead.<layer>``,
        ``diagnosis.disagreement.<layer>`` and ``diagnosis.likeness``.
    snapshots : sequence of Snapshot
        One or more, of that training.
    """
    with tempfile.TemporaryDirectory(prefix="notedecay-") as name:
        write_diagnosis(snapshots, Path(name))
        run.folder(Path(name), FOLDER)
    run.tag({WARNINGS_TAG: "\n".join(find_warnings(snapshots[-1])) or "none"})
    there = run.steps("diagnosis.likeness")
    for snapshot in snapshots:
        if snapshot.epoch not in there:  # a killed process may have logged it
            run.metrics(_metrics(snapshot), snapshot.epoch)


def _metrics(snapshot: Snapshot) -> dict[str, float]:
    by_layer = {
        f"diagnosis.{what}.{name}": value
        for name, layer in snapshot.layers.items()
        for what, value in (
            ("gradient", layer.gradient),
            ("dead", layer.dead),
            ("disagreement", layer.disagreement),
        )
        if value is not None
    }
    return by_layer | {"diagnosis.likeness": snapshot.likeness.made}
