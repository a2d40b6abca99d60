"""Stage ``register``: candidates into the registry, and the gate to the alias ``champion``.

The registry lives outside DVC, so this stage always runs: it brings the registry in line with
the results in the workspace, also with results that the run cache has brought back and with a
tracking store that has never seen them. Where all is in line it changes nothing.
"""

from __future__ import annotations

from typing import Any

from mlflow.entities.model_registry import ModelVersion

from notedecay.config import Instrument, Params
from notedecay.continuators import Continuator, Signal, load
from notedecay.notes import catalogue, prepared
from notedecay.pipeline.candidates import kind_of, new_run
from notedecay.pipeline.examination import Examination, means
from notedecay.pipeline.material import Material, load_material
from notedecay.pipeline.tables import read_json, write_json
from notedecay.project import Project
from notedecay.registry import models
from notedecay.registry.names import CHALLENGER, CHAMPION, registered_name
from notedecay.registry.promotion import Decision, Standing, decide
from notedecay.tracking.provenance import digest, provenance
from notedecay.tracking.runs import Tracker
from notedecay.training.panel import Panel


def register(project: Project, params: Params, instrument: str) -> str:
    """Register the trained model and the best baseline; write ``registered.json``.

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
        Who is champion and why, in one line.
    """
    config = params.instrument(instrument)
    results = project.results(instrument)
    material = load_material(results, instrument, config)
    tracker = Tracker(project.mlruns, instrument, provenance(project, params.seed, material.path))
    gate = _Gate(tracker, material, config, project)
    decisions = [gate.enter(name) for name in gate.entrants()]
    champion = models.holder(tracker.client, gate.name, CHAMPION)
    assert champion is not None  # the first entrant always passes
    registered = {
        "name": gate.name,
        "champion": {
            "version": str(champion.version),
            "run_id": champion.run_id,
            "continuator": champion.tags["continuator"],
        },
        "decisions": [decision.reason for decision in decisions],
    }
    write_json(registered, results / "registered.json")
    return decisions[-1].reason


class _Gate:
    """Decides for each entrant whether the alias moves to it."""

    def __init__(
        self, tracker: Tracker, material: Material, config: Instrument, project: Project
    ) -> None:
        results = project.results(material.signal.instrument)
        self.tracker = tracker
        self.material = material
        self.config = config
        self.results = results
        self.data = project.data
        self.name = registered_name(material.signal.instrument)
        self.metrics = read_json(results / "metrics.json")
        self.runs = read_json(results / "runs.json")
        self.exam = f"{digest(material.path)[:12]}-{digest(results / 'split.json')[:12]}"

    def entrants(self) -> list[str]:
        """The best baseline, then the trained model."""
        measure = self.config.register_.measure
        baselines = [n for n in self.metrics if n in self.config.evaluate.baselines]
        learned = [n for n in self.runs if n not in baselines]
        best = max(baselines, key=lambda n: self.metrics[n]["unseen"][measure] or 0.0, default=None)
        return [best, *learned] if best else learned

    def enter(self, name: str) -> Decision:
        """Register a candidate, compare it with the champion, move the aliases."""
        client, gate = self.tracker.client, self.config.register_
        folder = self.results / "candidates" / name
        figures = self.metrics[name]["unseen"]
        version = models.register(
            client, folder, self._run_of(name, load(folder)), self.name, self._tags(name, figures)
        )
        present = models.holder(client, self.name, CHAMPION)
        if present is not None and str(present.version) == str(version.version):
            return Decision(True, present.tags["decision"])
        decision = decide(
            Standing(str(version.version), name, figures[gate.measure] or 0.0),
            self._standing(present) if present else None,
            measure=gate.measure,
            margin=gate.margin,
            notes=int(figures["notes"]),
        )
        alias = CHAMPION if decision.promoted else CHALLENGER
        holder = models.holder(client, self.name, alias)
        if holder is None or str(holder.version) != str(version.version):
            client.set_registered_model_alias(self.name, alias, version.version)
        client.set_model_version_tag(self.name, version.version, "decision", decision.reason)
        return decision

    def _tags(self, name: str, figures: dict[str, Any]) -> dict[str, str]:
        figure_tags = {f"unseen.{k}": str(v) for k, v in figures.items() if v is not None}
        return {"continuator": name, "exam": self.exam, **figure_tags}

    def _standing(self, version: ModelVersion) -> Standing:
        """How a registered version does on today's unseen notes, judged anew if they are others."""
        measure = self.config.register_.measure
        kind = version.tags.get("continuator", "unknown")
        if version.tags.get("exam") == self.exam:
            return Standing(str(version.version), kind, float(version.tags[f"unseen.{measure}"]))
        continuator = models.load_version(self.tracker.client, version)
        panel = self._test_panel(continuator.signal)
        value = means(panel.judge(continuator), panel)[measure]
        return Standing(str(version.version), kind, value)

    def _test_panel(self, signal: Signal) -> Panel:
        """The unseen notes as a model hears them that was made with other parameters."""
        ids = set(self.material.split["test"])
        notes = [n for n in catalogue.read(self.results / "catalogue.json") if n.id in ids]
        clips = prepared.prepare(
            self.data,
            notes,
            rate=signal.rate,
            seconds=self.config.prepare.seconds,
            highpass_hz=signal.highpass_hz,
        )
        return Panel(clips, signal.prime_samples)

    def _run_of(self, name: str, continuator: Continuator[Any]) -> str:
        """The candidate's run; made again where this store does not have it."""
        run_id: str = self.runs[name]
        if self.tracker.has(run_id):
            return run_id
        earlier = self.tracker.find("notedecay.imported_from", run_id, kind_of(continuator))
        return earlier.info.run_id if earlier else self._import(continuator, run_id)

    def _import(self, continuator: Continuator[Any], run_id: str) -> str:
        exam = Examination(self.material, self.config.evaluate)
        with new_run(self.tracker, continuator, {"notedecay.imported_from": run_id}) as run:
            exam.log(run, exam.judge(continuator))
        return run.id
