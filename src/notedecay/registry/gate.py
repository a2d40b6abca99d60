"""The gate: a challenger becomes champion if it scores better on notes that both have not seen."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities.model_registry import ModelVersion

from notedecay.audio import resample
from notedecay.audio.samples import Samples
from notedecay.core.config import Instrument
from notedecay.core.errors import DamagedError, UserError
from notedecay.core.tables import read_json
from notedecay.data import catalogue
from notedecay.data.clips import prepare_clips
from notedecay.data.note import Clip
from notedecay.experiments.candidates import kind_of, new_run
from notedecay.experiments.dataset import Dataset
from notedecay.experiments.fingerprint import evaluation_code
from notedecay.experiments.scorecard import Scorecard
from notedecay.experiments.scoring import means
from notedecay.models import Continuator, load
from notedecay.registry import versions
from notedecay.registry.names import CHALLENGER, CHAMPION, registered_name
from notedecay.registry.promotion import CandidateScore, Decision, decide, promote_over_unloadable
from notedecay.tracking.runs import Tracker


class Gate:
    """Registration of candidates, and for each the decision whether it becomes champion.

    Parameters
    ----------
    tracker : Tracker
        Of the instrument.
    dataset : Dataset
        Notes.
    config : Instrument
        Parameters.
    results : Path
        Folder with the outputs of the stage ``compare``.
    data : Path
        Recordings, for a champion with other signal settings.
    """

    def __init__(
        self, tracker: Tracker, dataset: Dataset, config: Instrument, results: Path, data: Path
    ) -> None:
        self.tracker = tracker
        self.dataset = dataset
        self.config = config
        self.results = results
        self.data = data
        self.name = registered_name(dataset.signal.instrument)
        self.scores = read_json(results / "scores.json")
        self.runs = read_json(results / "runs.json")
        needed = {"notes", config.register_.measure}
        for name in self.runs:
            if not needed <= self.scores.get(name, {}).get("unseen", {}).keys():
                raise UserError(
                    f"{results / 'scores.json'} lacks {' or '.join(sorted(needed))} of {name} on "
                    "unseen notes: run 'dvc repro'"
                )
        identity = json.dumps(dataset.identity() | {"code": evaluation_code()}, sort_keys=True)
        self.protocol = hashlib.sha256(identity.encode()).hexdigest()[:16]

    def candidates(self) -> list[str]:
        """The best baseline, then the trained model."""
        measure = self.config.register_.measure
        baselines = [n for n in self.runs if n in self.config.evaluate.baselines]
        trained = [n for n in self.runs if n not in baselines]
        best = max(baselines, key=lambda n: self.scores[n]["unseen"][measure] or 0.0, default=None)
        return [best, *trained] if best else trained

    def register(self, name: str) -> tuple[ModelVersion, Decision]:
        """Register a candidate, compare it with the champion, move the aliases."""
        client = self.tracker.client
        model = load(self.results / "candidates" / name)
        version = versions.register(
            client,
            self.results / "candidates" / name,
            self._run_of(name, model),
            self.name,
            self._tags(name, model),
        )
        present = versions.holder(client, self.name, CHAMPION)
        if present is not None:
            # Versions of early releases have no description.
            versions.describe(client, present, self._about(), present.tags.get("decision", ""))
            if str(present.version) == str(version.version):
                return version, Decision(True, self._completed(present, model).tags["decision"])
        decision = self._decide(version, model, present)
        # Described before the tag is set: only a description equal to the old tag is replaced.
        versions.describe(client, version, self._about(), decision.reason)
        # The reason comes first: a champion has one even if the process is killed here.
        client.set_model_version_tag(self.name, version.version, "decision", decision.reason)
        alias = CHAMPION if decision.promoted else CHALLENGER
        holder = versions.holder(client, self.name, alias)
        if holder is None or str(holder.version) != str(version.version):
            client.set_registered_model_alias(self.name, alias, version.version)
        return version, decision

    def _about(self) -> str:
        signal = self.dataset.signal
        return (
            f"Continues a note ({signal.instrument}) from its first {signal.prime_seconds:g} s. "
            f"'{CHAMPION}' is the version that continues unseen notes best; the description of a "
            "version says what it was compared with."
        )

    def _tags(self, name: str, model: Continuator[Any]) -> dict[str, str]:
        """Tags of a version that later comparisons read."""
        figures = self.scores[name]["unseen"]
        return {
            "model": name,
            "protocol": self.protocol,
            "trained_on": self._trained_on(model),
            **{f"unseen.{k}": str(v) for k, v in figures.items() if v is not None},
        }

    def _trained_on(self, model: Continuator[Any]) -> str:
        """Pitches that a candidate of today was trained on, as its tag lists them."""
        pitches = {c.pitch for c in self.dataset.part("train")} if model.learned else set()
        return ",".join(str(pitch) for pitch in sorted(pitches))

    def _decide(
        self,
        version: ModelVersion,
        challenger_model: Continuator[Any],
        present: ModelVersion | None,
    ) -> Decision:
        gate = self.config.register_
        figures = self.scores[challenger_model.name]["unseen"]
        notes = int(figures["notes"] or 0)
        challenger = CandidateScore(
            str(version.version), challenger_model.name, figures[gate.measure] or 0.0
        )
        if present is None:
            return decide(challenger, None, measure=gate.measure, margin=gate.margin, notes=notes)
        champion_model = self._champion_model(present)
        if champion_model is None:
            return promote_over_unloadable(
                challenger, str(present.version), measure=gate.measure, notes=notes
            )
        present = self._completed(present, champion_model)
        clips, caveat = self.dataset.part("test"), ""
        if present.tags.get("protocol") == self.protocol:
            value = self._figure(present, champion_model)
        else:
            trained_on = _trained_pitches(present)
            clips = [clip for clip in clips if clip.pitch not in trained_on]
            if not clips:
                why = f"{challenger.label} and the champion have no unseen note in common"
                return Decision(False, why)
            notes = len(clips)
            challenger = replace(challenger, value=self._evaluate(challenger_model, clips))
            value = self._evaluate(champion_model, clips)
            if champion_model.learned and not trained_on:
                caveat = f"; version {present.version} may know them: it has no tag 'trained_on'"
        champion = CandidateScore(str(present.version), champion_model.name, value)
        decision = decide(
            challenger, champion, measure=gate.measure, margin=gate.margin, notes=notes
        )
        return replace(decision, reason=decision.reason + caveat)

    def _champion_model(self, present: ModelVersion) -> Continuator[Any] | None:
        """Load the champion; None if the present code cannot, since its settings or nets changed.

        Files that are lost or damaged raise an error: they are no reason to promote a challenger.
        """
        folder = versions.folder_of(self.tracker.client, present)
        try:
            return load(folder)
        except DamagedError:
            raise
        except UserError:
            return None

    def _completed(self, champion: ModelVersion, loaded: Continuator[Any]) -> ModelVersion:
        """Write missing tags of the champion: deleted ones, and those that early releases lack.

        The pitches that it was trained on are known only if it was evaluated on today's split.
        """
        client, number = self.tracker.client, champion.version
        tags = {
            "model": loaded.name,
            "decision": f"{loaded.name} (version {number}) is champion; the reason was not kept",
        }
        if not loaded.learned or champion.tags.get("protocol") == self.protocol:
            tags["trained_on"] = self._trained_on(loaded)
        held = champion.tags
        missing = {k: v for k, v in tags.items() if not held.get(k) and held.get(k) != v}
        for tag in missing.items():
            client.set_model_version_tag(self.name, number, *tag)
        return client.get_model_version(self.name, number) if missing else champion

    def _figure(self, champion: ModelVersion, loaded: Continuator[Any]) -> float:
        """The champion's figure on the test notes, from its tag or else computed."""
        tag = f"unseen.{self.config.register_.measure}"
        try:
            value = float(champion.tags.get(tag, "nan"))
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        value = round(self._evaluate(loaded, self.dataset.part("test")), 4)  # as tags are
        self.tracker.client.set_model_version_tag(self.name, champion.version, tag, str(value))
        return value

    def _evaluate(self, model: Continuator[Any], clips: list[Clip]) -> float:
        notes = self.dataset.evaluation_set(clips)
        if model.signal == self.dataset.signal:
            scored = notes.evaluate(model)
        else:
            scored = notes.score(self._continued_at_its_rate(model, clips))
        value = means(scored, notes)[self.config.register_.measure]
        return 0.0 if np.isnan(value) else value

    def _continued_at_its_rate(self, model: Continuator[Any], clips: list[Clip]) -> list[Samples]:
        """Continuations of a model with other signal settings, resampled to the dataset's rate."""
        signal, own = model.signal, self.dataset.signal
        ids = {clip.id for clip in clips}
        notes = [n for n in catalogue.read(self.results / "catalogue.json") if n.id in ids]
        prepared = prepare_clips(
            self.data,
            notes,
            rate=signal.rate,
            seconds=self.config.prepare.seconds,
            highpass_hz=signal.highpass_hz,
        )
        primes = {c.id: c.samples[: signal.prime_samples] for c in prepared}
        seconds = [len(clip.samples) / clip.rate - signal.prime_seconds for clip in clips]
        made = model.continue_primes(
            [primes[clip.id] for clip in clips], [round(s * signal.rate) for s in seconds]
        )
        return [
            _as_long_as(
                resample(np.concatenate([primes[clip.id], tail]), signal.rate, own.rate),
                own.prime_samples,
                len(clip.samples),
            )
            for clip, tail in zip(clips, made, strict=True)
        ]

    def _run_of(self, name: str, model: Continuator[Any]) -> str:
        """Id of the candidate's run; a new one where this store does not have it."""
        run_id: str = self.runs[name]
        known = self.tracker.get(run_id)
        if known is not None:
            if known.info.status == "KILLED":  # after its evaluation, which is complete
                self.tracker.client.set_terminated(run_id, "FINISHED", known.info.end_time)
            return run_id
        earlier = self.tracker.find("notedecay.imported_from", run_id, kind_of(model))
        if earlier is not None:
            return str(earlier.info.run_id)
        scorecard = Scorecard(self.dataset, self.config.evaluate)
        tags = {"notedecay.imported_from": run_id}
        with new_run(self.tracker, model, tags) as run:
            scorecard.log(run, scorecard.evaluate(model))
        return run.id


def _trained_pitches(champion: ModelVersion) -> set[int]:
    """Pitches that a champion was trained on, by its tag; empty without one."""
    words = champion.tags.get("trained_on", "").split(",")
    return {int(word) for word in words if word.strip().isdigit()}


def _as_long_as(samples: Samples, start: int, stop: int) -> Samples:
    """Samples from start to stop; silence fills what is missing after resampling."""
    missing = max(0, stop - len(samples))
    return np.pad(samples, (0, missing))[start:stop]
