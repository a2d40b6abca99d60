"""A diagnosis in the tracking store: pictures, warnings, numbers."""

from __future__ import annotations

import json
from pathlib import Path

from notedecay.data.note import Clip
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.tracking.diagnosis import log_diagnosis
from notedecay.tracking.runs import Tracker
from notedecay.training import fit
from notedecay.training.diagnostics.probe import Diagnosis
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)
CLIPS = [
    Clip(f"bells/{f}", i, damped([f], [1.0], seconds=1.0, rate=RATE), RATE)
    for i, f in enumerate([150, 190, 230, 270])
]


def test_pictures_warnings_and_numbers_are_kept_once(tmp_path: Path) -> None:
    config = {"units": 16, "resolution": 40, "epochs": 4, "batch": 2, "transpose": 0}
    model = create("lstm", SIGNAL, config)
    diagnosis = Diagnosis(model, CLIPS, every=2)
    fit(model, CLIPS, seed=0, device="cpu", report=diagnosis)
    assert isinstance(model, LearnedContinuator)
    for weight in model.net.parameters():
        weight.data.zero_()
    diagnosis.after(5, of=5)
    lines = diagnosis.warnings()
    assert len(lines) > 1
    tracker = Tracker(tmp_path / "mlruns", "bells", {})
    with tracker.run("train", "train") as run:
        log_diagnosis(run, diagnosis.snapshots)
        run.flush()
        log_diagnosis(run, diagnosis.snapshots)
    files = {Path(f.path).name for f in tracker.client.list_artifacts(run.id, "diagnosis")}
    assert files == {
        "gradient.png", "weights.png", "activations.png", "dead.png", "gradient_over_time.png",
        "reach.png", "warnings.txt", "snapshots.json",
    }  # fmt: skip
    local = Path(tracker.client.download_artifacts(run.id, "diagnosis", str(tmp_path)))
    assert (local / "warnings.txt").read_text().splitlines() == lines
    assert [one["epoch"] for one in json.loads((local / "snapshots.json").read_text())] == [
        2,
        4,
        5,
    ]
    data = tracker.client.get_run(run.id).data
    assert data.tags["notedecay.warnings"] == "\n".join(lines)
    last = diagnosis.snapshots[-1]
    assert data.metrics["diagnosis.gradient.lstm"] == last.layers["lstm"].gradient
    assert data.metrics["diagnosis.dead.lstm"] == 1.0
    assert data.metrics["diagnosis.likeness"] == last.likeness.made
    history = tracker.client.get_metric_history(run.id, "diagnosis.likeness")
    assert [entry.step for entry in history] == [2, 4, 5]
