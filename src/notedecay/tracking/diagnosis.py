"""What a run leaves of its diagnosis: heat maps, warnings, numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from notedecay.analysis import save
from notedecay.tracking.runs import ActiveRun
from notedecay.training import looks as files
from notedecay.training.diagnosis import Diagnosis
from notedecay.training.diagnosis_pictures import heat_maps
from notedecay.training.looks import Look

FOLDER = "diagnosis"
WARNINGS_TAG = "notedecay.warnings"


def log_diagnosis(run: ActiveRun, diagnosis: Diagnosis) -> None:
    """Log a diagnosis when the training is over.

    Parameters
    ----------
    run : ActiveRun
        Gets ``diagnosis/*.png``, ``diagnosis/warnings.txt`` and ``diagnosis/looks.json`` as
        files; the warnings as the tag ``notedecay.warnings``; and for each look the metrics
        ``diagnosis.gradient.<layer>``, ``diagnosis.dead.<layer>``,
        ``diagnosis.disagreement.<layer>`` and ``diagnosis.likeness``.
    diagnosis : Diagnosis
        Of that training.
    """
    with tempfile.TemporaryDirectory(prefix="notedecay-") as name:
        write_diagnosis(diagnosis.looks, diagnosis.warnings(), Path(name))
        run.folder(Path(name), FOLDER)
    run.tag({WARNINGS_TAG: "\n".join(diagnosis.warnings()) or "none"})
    there = run.steps("diagnosis.likeness")
    for look in diagnosis.looks:
        if look.epoch not in there:  # a killed stage may have come this far before
            run.metrics(_metrics(look), look.epoch)


def write_diagnosis(looks: Sequence[Look], warnings: Sequence[str], folder: Path) -> None:
    """Write heat maps, ``warnings.txt`` and ``looks.json`` into an existing folder."""
    for name, figure in heat_maps(looks).items():
        save(figure, folder / f"{name}.png")
    (folder / "warnings.txt").write_text("".join(f"{line}\n" for line in warnings))
    files.write(looks, folder / "looks.json")


def _metrics(look: Look) -> dict[str, float]:
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
